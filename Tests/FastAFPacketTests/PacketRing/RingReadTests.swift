import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

/// Packets through a real ring.
@Suite(.needsRoot, .vethPair)
struct RingReadTests {
    static let versions = PacketRing.Version.allCases

    @Test("Every packet is read once and in order, with its bytes", arguments: versions, [46, 1400])
    func inOrder(version: PacketRing.Version, payload: Int) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) { $0.version = version }
        #expect(ring.version == version)
        let sender = try pair.listen(.left)
        for start in stride(from: 0, to: 300, by: 20) as StrideTo<UInt32> {
            try sender.sendFrames(start..<start + 20, payload: payload)
            var expected = start
            while expected < start + 20 {
                try ring.readBlock { bytes, packet in
                    let bytes = bytes.withUnsafeBytes { [UInt8]($0) }
                    #expect(bytes == frame(expected, payload: payload))
                    #expect(packet.length == 14 + payload && !packet.isTruncated)
                    expected += 1
                }
            }
        }
        #expect(ring.statistics.packets == 300 && ring.statistics.malformed == 0)
    }

    @Test("By default the ring has the newest version")
    func newest() throws {
        #expect(try VethPair.current.ring(.right).version == .v3)
    }

    @Test("The three ways to read one packet return equal packets", arguments: versions)
    func oneByOne(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) { $0.version = version }
        try pair.listen(.left).sendFrames(0..<4)
        let inPlace = try ring.readPacket { bytes, _ in number(in: bytes) }
        let (copy, info) = try ring.readPacket()
        var buffer = [UInt8](repeating: 0xFF, count: 100)
        let whole = try ring.readPacket(into: &buffer)
        var short = [UInt8](repeating: 0xFF, count: 20)
        let cut = try ring.readPacket(into: &short)
        #expect(inPlace == 0 && copy == frame(1) && info.capturedLength == 60 && info.length == 60)
        #expect(Array(buffer[..<60]) == frame(2) && buffer[60...].allSatisfy { $0 == 0xFF })
        #expect(whole.capturedLength == 60 && !whole.isTruncated)
        #expect(short == Array(frame(3)[..<20]))
        #expect(cut.capturedLength == 20 && cut.length == 60 && cut.isTruncated)
        var none: [UInt8] = []
        try pair.listen(.left).sendFrames([4])
        #expect(try ring.readPacket(into: &none).capturedLength == 0)
    }

    @Test(
        "Timestamps are the kernel's, taken on arrival, between the clock readings before and after",
        arguments: versions)
    func stamps(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) { $0.version = version }
        let sender = try pair.listen(.left)
        // The kernel switches timestamps on in a workqueue.
        var source = CaptureInfo.StampSource.copy
        let end = soon()
        while source == .copy, ClockID.monotonic.now() < end {
            let before = ClockID.realtime.now() / 1000 * 1000
            try sender.sendFrames([1])
            let info = try ring.readPacket { _, packet in packet.info }
            #expect(info.stamp >= before && info.stamp <= ClockID.realtime.now())
            source = info.stampSource
        }
        #expect(source == .software)
        // A veth has no NIC timestamps; the kernel's are returned instead.
        let other = try pair.ring(.right) { $0.stamps = .hardware }
        #expect(other.hardwareStamping == .unavailable)
        try sender.sendFrames([2])
        #expect(try other.readPacket { _, packet in packet.stampSource } == .software)
    }

    @Test("Interface, source address, ethertype and packet type are reported", arguments: versions)
    func link(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.version = version
            $0.etherType = 3
            $0.filter = try? Filter(expression: "ether proto 0x88b5")
        }
        let sender = try pair.listen(.left)
        try sender.writeTo([255, 255, 255, 255, 255, 255] + frame().dropFirst(6), id: 0)
        try sender.writeTo(frame(), id: 1)
        try pair.listen(.right).writeTo(frame(from: .right), id: 1)
        var types: [LinkAddress.PacketType] = []
        let index = try pair.interface(.right).index
        for side in [VethPair.Side.left, .left, .right] {
            let (link, info) = try ring.readPacket { _, packet in (packet.link, packet.info) }
            types.append(link.packetType)
            #expect(link.description == VethPair.mac(side) && link.etherType == testEtherType)
            #expect(link.interfaceIndex == index && info.interfaceIndex == index)
        }
        #expect(types == [.broadcast, .host, .outgoing])
    }

    @Test("A ring of all interfaces receives from each and reports which")
    func allInterfaces() throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right, on: nil)
        #expect(ring.interface == nil)
        let loopback = try pair.enter(.right) { () throws(SystemError) in
            try PacketConn.listen(on: Interface(named: "lo"), etherType: testEtherType)
        }
        try pair.listen(.left).sendFrames([1])
        try loopback.sendFrames([2])
        var found: [UInt32: Int32] = [:]
        while found.count < 2 {
            let (name, index) = try ring.readPacket { bytes, packet in (number(in: bytes), packet.interfaceIndex) }
            found[name] = index
        }
        #expect(try found == [1: pair.interface(.right).index, 2: pair.interface(.right, named: "lo").index])
        var failure: SystemError?
        do throws(SystemError) { try ring.write(frame()) } catch { failure = error }
        #expect(failure?.code == ENXIO)
    }

    @Test("A packet longer than its frame is truncated with v1 and v2, and complete with v3", arguments: versions)
    func long(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.version = version
            $0.frameSize = 256
        }
        try pair.listen(.left).sendFrames([7], payload: 1000)
        let (packet, info) = try ring.readPacket()
        #expect(info.length == 1014 && packet.count == info.capturedLength)
        #expect(packet == Array(frame(7, payload: 1000)[..<packet.count]))
        #expect(info.isTruncated == (version != .v3) && (version == .v3 || (150..<256).contains(packet.count)))
    }

    @Test("Datagram rings return the payload after the Ethernet header", arguments: versions)
    func datagram(version: PacketRing.Version) throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.version = version
            $0.socketType = .datagram
        }
        try pair.listen(.left).sendFrames([7])
        let (packet, info) = try ring.readPacket()
        #expect(packet == Array(frame(7)[14...]) && info.length == 46)
    }

    @Test("A VLAN tag is reported, and restored on request", arguments: versions, [false, true])
    func vlan(version: PacketRing.Version, restores: Bool) throws {
        if version == .v1, restores { return }  // rejected: see the next test
        let pair = try VethPair.current
        let ring = try pair.ring(.right) {
            $0.version = version
            $0.restoresVLANTag = restores
            // For a single ethertype the kernel drops the tag first.
            $0.etherType = 3
            $0.filter = try? Filter(expression: "ether[14:4] = 9")
        }
        let plain = frame(9)
        let tagged = Array(plain[..<12] + [0x81, 0x00, 0xA0, 0x64] + plain[12...])
        let sender = try pair.listen(.left)
        try sender.writeTo(tagged, id: 0)
        try sender.writeTo(plain, id: 1)
        let (first, info) = try ring.readPacket()
        let (second, other) = try ring.readPacket()
        #expect(first == (restores ? tagged : plain) && info.length == first.count && !info.isTruncated)
        #expect(info.vlanTag == (version == .v1 ? nil : 0xA064))
        #expect(second == plain && other.vlanTag == nil)
    }

    @Test("Restoring tags is rejected if the ring cannot restore them")
    func noTag() throws {
        let pair = try VethPair.current
        let changes: [(inout PacketRing.Configuration) -> Void] = [
            { $0.version = .v1 }, { $0.socketType = .datagram },
        ]
        for change in changes {
            let code = errorCode { () throws(SystemError) in
                _ = try pair.ring(.right) {
                    change(&$0)
                    $0.restoresVLANTag = true
                }
            }
            #expect(code == EINVAL)
        }
    }

    @Test("A filter is attached before the first packet, and can be replaced")
    func filter() throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left)
        let ring = try pair.ring(.right) { $0.filter = try? Filter(expression: "ether[14:4] & 1 = 1") }
        try sender.sendFrames(0..<10)
        #expect(try ring.readNumbers(5) == [1, 3, 5, 7, 9])
        try ring.setFilter(Filter(expression: "ether[14:4] >= 15"))
        try sender.sendFrames(10..<20)
        #expect(try ring.readNumbers(5) == [15, 16, 17, 18, 19])
        var failure: SystemError?
        do throws(SystemError) { try ring.setFilter(Filter(instructions: [])) } catch { failure = error }
        #expect(failure?.code == EINVAL)
    }

    @Test("A packet written to a ring arrives, and a frame above the MTU is rejected")
    func write() throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.left)
        let receiver = try pair.ring(.right)
        try ring.write(frame(3))
        #expect(try receiver.readPacket().packet == frame(3))
        var failure: SystemError?
        do throws(SystemError) { try ring.write(frame(payload: 1600)) } catch { failure = error }
        #expect(failure?.code == EMSGSIZE)
    }
}
