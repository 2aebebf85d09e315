import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import FastAFPacket

/// Reading of control data, as the kernel writes it and hostile.
struct ControlDataTests {
    /// One control message to write.
    struct Part {
        var level: Int32
        var type: Int32
        var data: [UInt8]

        /// A message of SO_TIMESTAMPING_NEW with these nanoseconds.
        static func stamps(_ values: [Int64], level: Int32 = SOL_SOCKET, type: Int32 = 65) -> Part {
            var data: [UInt8] = []
            for value in values {
                for field in [value / 1_000_000_000, value % 1_000_000_000] {
                    data += withUnsafeBytes(of: field) { Array($0) }
                }
            }
            return Part(level: level, type: type, data: data)
        }

        static func error(
            number: UInt32 = UInt32(ENOMSG), origin: UInt8 = 4, info: UInt32 = 0, id: UInt32 = 77,
            level: Int32 = 263, type: Int32 = 16
        ) -> Part {
            let error = cl_extended_error(
                ee_errno: number, ee_origin: origin, ee_type: 0, ee_code: 0, ee_pad: 0, ee_info: info, ee_data: id)
            return Part(level: level, type: type, data: withUnsafeBytes(of: error) { Array($0) })
        }

        var bytes: [UInt8] {
            var header = cmsghdr()
            header.cmsg_len = MemoryLayout<cmsghdr>.size + data.count
            header.cmsg_level = level
            header.cmsg_type = type
            let bytes = withUnsafeBytes(of: header) { Array($0) } + data
            return bytes + [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
        }
    }

    private func transmitStamp(_ parts: [Part], identifiers: IdentifierMap? = nil) -> TransmitStamp? {
        parts.flatMap(\.bytes).withUnsafeBytes { TransmitStamp(ControlMessages($0), identifiers) }
    }

    private func transmitStamp(bytes: [UInt8]) -> TransmitStamp? {
        // At an odd address: nothing may rely on alignment.
        ([0] + bytes).withUnsafeBytes { TransmitStamp(ControlMessages(.init(rebasing: $0[1...])), nil) }
    }

    private let both: [Part] = [.stamps([1_700_000_000_123_456_789, 0, 0]), .error()]

    @Test("A timestamp and its extended error are read in either order, with other messages between them")
    func order() {
        let expected = TransmitStamp(
            id: 77, stage: .sent, stamps: SocketTimestamps(software: 1_700_000_000_123_456_789, hardware: nil))
        #expect(transmitStamp(both) == expected)
        #expect(transmitStamp(both.reversed()) == expected)
        let stranger = Part(level: 1, type: 99, data: [1, 2, 3])
        #expect(transmitStamp([stranger, both[1], stranger, both[0], stranger]) == expected)
    }

    @Test("The first of the three times is software, the third hardware, and all zero is absent")
    func times() {
        #expect(transmitStamp([.stamps([5, 6, 7]), .error()])?.stamps == SocketTimestamps(software: 5, hardware: 7))
        #expect(transmitStamp([.stamps([0, 6, 7]), .error()])?.stamps == SocketTimestamps(hardware: 7))
        #expect(transmitStamp([.stamps([0, 6, 0]), .error()])?.stamps == SocketTimestamps())
    }

    @Test("Times at the limits of 64 bits wrap", arguments: [Int64.max, .min])
    func extremes(seconds: Int64) {
        let field = withUnsafeBytes(of: seconds) { Array($0) }
        let data = (0..<6).flatMap { _ in field }
        let time = seconds &* 1_000_000_000 &+ seconds
        let stamp = transmitStamp([Part(level: SOL_SOCKET, type: 65, data: data), .error()])
        #expect(stamp?.stamps == SocketTimestamps(software: time, hardware: time))
    }

    @Test("Known stages are read, and an unknown stage is no timestamp")
    func stages() {
        let stages = (0...5 as ClosedRange<UInt32>).map { transmitStamp([both[0], .error(info: $0)])?.stage }
        #expect(stages == [.sent, .sched, .acknowledged, .completed, nil, nil])
        #expect(transmitStamp([both[0], .error(info: .max)]) == nil)
    }

    @Test("The same type at another level, or another type at the same level, is no timestamp")
    func levels() {
        // SCM_TIMESTAMPING_NEW's type at other levels; the old option's type with the new option's data.
        for (level, type) in [(263, 65), (0, 65), (41, 65), (SOL_SOCKET, 37), (SOL_SOCKET, 16), (263, 16)]
            as [(Int32, Int32)]
        {
            #expect(transmitStamp([.stamps([5, 0, 0], level: level, type: type), both[1]]) == nil, "\(level) \(type)")
        }
        // PACKET_TX_TIMESTAMP's type at SOL_SOCKET and elsewhere; IP_RECVERR's and IPV6_RECVERR's at the wrong levels.
        for (level, type) in [
            (SOL_SOCKET, 16), (0, 16), (41, 16), (263, 11), (263, 25), (SOL_SOCKET, 11), (0, 25), (41, 11),
        ]
            as [(Int32, Int32)]
        {
            #expect(transmitStamp([both[0], .error(level: level, type: type)]) == nil, "\(level) \(type)")
        }
        // The valid combinations: a packet socket's, and UDP's over IPv4 and IPv6.
        for (level, type) in [(263, 16), (0, 11), (41, 25)] as [(Int32, Int32)] {
            #expect(transmitStamp([both[0], .error(level: level, type: type)])?.id == 77, "\(level) \(type)")
        }
    }

    @Test("An error of another origin or number is no timestamp", arguments: 0...6 as ClosedRange<UInt8>)
    func origins(origin: UInt8) {
        #expect((transmitStamp([both[0], .error(origin: origin)]) != nil) == (origin == 4))
        #expect(transmitStamp([both[0], .error(number: UInt32(ECONNREFUSED), origin: 4)]) == nil)
    }

    @Test("An error of another origin next to the timestamp's error does not hide it")
    func twoErrors() {
        let icmp = Part.error(number: UInt32(ECONNREFUSED), origin: 2, id: 1, level: 0, type: 11)
        #expect(transmitStamp([both[0], both[1], icmp])?.id == 77)
        #expect(transmitStamp([icmp, both[1], both[0]])?.id == 77)
    }

    @Test("A timestamp without its error, or an error without its timestamp, is no timestamp")
    func halves() {
        #expect(transmitStamp([both[0]]) == nil)
        #expect(transmitStamp([both[1]]) == nil)
        #expect(transmitStamp([]) == nil)
    }

    @Test("Data shorter than its structure is skipped", arguments: [0, 1, 15, 16, 40, 47])
    func short(length: Int) {
        var stamps = both[0]
        stamps.data = Array(stamps.data.prefix(length))
        #expect(transmitStamp([stamps, both[1]]) == nil)
        if length < 16 {
            var error = both[1]
            error.data = Array(error.data.prefix(length))
            #expect(transmitStamp([both[0], error]) == nil)
        }
    }

    @Test("A prefix of valid control data is a timestamp only if it is complete")
    func prefixes() {
        let bytes = both.flatMap(\.bytes)
        for length in 0...bytes.count {
            #expect((transmitStamp(bytes: Array(bytes[..<length])) != nil) == (length == bytes.count), "\(length)")
        }
    }

    @Test("Invalid lengths end the iteration", arguments: [Int.min, -1, 0, 1, 15, 1 << 20, Int.max])
    func lengths(length: Int) {
        for position in [0, both[0].bytes.count] {
            var bytes = both.flatMap(\.bytes)
            withUnsafeBytes(of: length) { bytes.replaceSubrange(position..<position + 8, with: $0) }
            #expect(transmitStamp(bytes: bytes) == nil, "\(position)")
        }
    }

    @Test("Random control data contains no timestamp, and its messages stay within it")
    func random() {
        var random = SeededGenerator(seed: 2)
        for round in 0..<5000 {
            let bytes = random.controlData()
            let counts = bytes.withUnsafeBytes { memory in ControlMessages(memory).map { 16 + $0.data.count } }
            #expect(counts.reduce(0, +) <= bytes.count, "round \(round)")
            #expect(transmitStamp(bytes: bytes) == nil, "round \(round)")
            let packet = received(bytes)
            #expect(packet.stamps == SocketTimestamps() && packet.vlanTag == nil, "round \(round)")
        }
    }

    @Test("Counted ids are found by the kernel's count, across its wrap, and a rejected send uses none")
    func identifiers() {
        let map = IdentifierMap()
        for id in 500..<510 as Range<UInt32> { map.add(id: id) }
        map.withdraw()
        map.add(id: 900)
        let ids = (0..<10 as Range<UInt32>).map { transmitStamp([both[0], .error(id: $0)], identifiers: map)?.id }
        #expect(ids == [500, 501, 502, 503, 504, 505, 506, 507, 508, 900])
        #expect(map.id(ofKey: 1 << 16) == 500 && map.id(ofKey: .max) == map.id(ofKey: (1 << 16) - 1))
    }

    // MARK: - Received packets

    private func received(
        _ control: [UInt8], name: [UInt8] = [], flags: Int32 = 0, length: Int = 60
    ) -> ReceivedPacket {
        let storage = MessageStorage(capacity: 1, packetBytes: 64)
        storage.prepareToReceive(count: 1)
        let count = min(control.count, MessageStorage.controlBytes)
        storage.control(0).copyMemory(from: Array(control[..<count]), byteCount: count)
        storage.name(0).copyMemory(from: name, byteCount: name.count)
        storage.headers[0].msg_hdr.msg_controllen = control.count
        storage.headers[0].msg_hdr.msg_namelen = socklen_t(name.count)
        storage.headers[0].msg_hdr.msg_flags = flags
        storage.headers[0].msg_len = UInt32(length)
        return ReceivedPacket(storage, 0)
    }

    private func plain<Value: BitwiseCopyable>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    @Test("A received packet's control messages are read in any order, each by level and type")
    func receivedPacket() {
        let parts: [Part] = [
            Part(level: 41, type: 52, data: plain(Int32(64))),
            .stamps([5, 0, 7]),
            Part(
                level: 263, type: 8,
                data: plain(
                    tpacket_auxdata(
                        tp_status: 1 << 4 | 1 << 3, tp_len: 60, tp_snaplen: 60, tp_mac: 0, tp_net: 14,
                        tp_vlan_tci: 0xA064,
                        tp_vlan_tpid: 0x8100))),
            Part(level: 41, type: 67, data: plain(Int32(0xB8))),
        ]
        for parts in [parts, parts.reversed()] {
            let packet = received(parts.flatMap(\.bytes))
            #expect(packet.stamps == SocketTimestamps(software: 5, hardware: 7))
            #expect(packet.vlanTag == 0xA064 && packet.isChecksumPending)
            #expect(packet.hopLimit == 64 && packet.trafficClass == 0xB8)
        }
    }

    @Test("Messages of the right type at another level, and short ones, are skipped")
    func others() {
        let parts: [Part] = [
            .stamps([5, 0, 7], level: 263), .stamps([5, 0, 7], type: 37),
            Part(level: SOL_SOCKET, type: 8, data: [UInt8](repeating: 0xFF, count: 20)),
            Part(level: 263, type: 8, data: [UInt8](repeating: 0xFF, count: 19)),
            Part(level: SOL_SOCKET, type: 2, data: plain(Int32(64))), Part(level: 0, type: 52, data: plain(Int32(64))),
            Part(level: 0, type: 2, data: [64]), Part(level: 0, type: 1, data: []),
            Part(level: 0, type: 8, data: [1, 2]),
            Part(level: 41, type: 50, data: [UInt8](repeating: 1, count: 15)),
        ]
        let packet = received(parts.flatMap(\.bytes))
        #expect(packet.stamps == SocketTimestamps() && packet.vlanTag == nil && !packet.isChecksumPending)
        #expect(packet.hopLimit == nil && packet.trafficClass == nil && packet.localAddress == nil)
    }

    @Test("A control length beyond the storage yields no timestamps")
    func controlLength() {
        let packet = received([UInt8](repeating: 0, count: 100_000))
        #expect(packet.stamps == SocketTimestamps())
    }

    @Test("Truncation follows the kernel's flag, and the length is the reported one")
    func truncation() {
        #expect(received([], flags: Int32(MSG_TRUNC), length: 9000).isTruncated)
        #expect(received([], flags: Int32(MSG_TRUNC), length: 9000).length == 9000)
        #expect(!received([], flags: Int32(MSG_CTRUNC), length: 60).isTruncated)
    }

    @Test("Names of any length are read only if they contain an address")
    func names() {
        let link = LinkAddress(MACAddress(rawValue: 0x0200_0000_0001), interfaceIndex: 3, etherType: 0x88B5)
        // 18 bytes up to Linux 5.x: only as long as the address, not the whole of struct sockaddr_ll.
        #expect(received([], name: Array(plain(link.raw)[..<18])).link == link)
        #expect(received([], name: plain(link.raw)).link == link)
        for length in 0..<2 { #expect(received([], name: Array(plain(link.raw)[..<length])).link == nil) }
        var raw = sockaddr_in()
        raw.sin_family = sa_family_t(AF_INET)
        raw.sin_port = UInt16(862).bigEndian
        raw.sin_addr.s_addr = UInt32(0x0A09_0801).bigEndian
        #expect(received([], name: plain(raw)).source == SocketAddress(.v4(0x0A09_0801), port: 862))
        for length in 0..<16 { #expect(received([], name: Array(plain(raw)[..<length])).source == nil) }
        #expect(received([], name: [0xFF, 0xFF] + [UInt8](repeating: 1, count: 26)).source == nil)
    }
}
