import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

private func write(_ header: VirtioNetHeader, to bytes: inout [UInt8]) -> Int? {
    bytes.withUnsafeMutableBytes { buffer in
        var span = buffer.mutableBytes
        return header.write(to: &span)
    }
}

struct VirtioNetHeaderTests {
    private var whole: VirtioNetHeader {
        var header = VirtioNetHeader()
        header.flags = [.needsChecksum, .dataIsValid]
        header.segmentation = .tcpIPv6
        header.headerLength = 0x0102
        header.segmentSize = 0x0304
        header.checksumStart = 0x0506
        header.checksumOffset = 0x0708
        return header
    }

    @Test("Each field is at its offset in struct virtio_net_hdr, in host byte order")
    func layout() {
        var bytes = [UInt8](repeating: 0xEE, count: 12)
        let written = write(whole, to: &bytes)
        #expect(written == 10)
        var fields: [UInt8] = []
        for field in [0x0102, 0x0304, 0x0506, 0x0708 as UInt16] { fields += withUnsafeBytes(of: field) { Array($0) } }
        #expect(bytes == [3, 4] + fields + [0xEE, 0xEE])
        let read = VirtioNetHeader(bytes.span.bytes)
        #expect(read == whole)
    }

    @Test("Fewer bytes than a header are neither read nor written", arguments: 0..<10)
    func short(count: Int) {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        let read = VirtioNetHeader(bytes.span.bytes)
        let written = write(whole, to: &bytes)
        #expect(read == nil && written == nil && bytes.allSatisfy { $0 == 0xEE })
    }

    @Test("A random header written at another offset reads back equal")
    func random() {
        var random = SeededGenerator(seed: 3)
        for round in 0..<1000 {
            var bytes = random.bytes(13)
            let before = bytes
            let header = VirtioNetHeader(bytes.span.bytes.extracting(3..<13))
            if let header { _ = write(header, to: &bytes) }
            let again = VirtioNetHeader(bytes.span.bytes)
            #expect(
                header != nil && again == header && Array(bytes[..<10]) == Array(before[3...]), "round \(round)")
        }
    }
}

/// The header before real frames.
@Suite(.needsRoot, .vethPair)
struct VirtioNetHeaderLiveTests {
    private var checksumHeader: VirtioNetHeader {
        var header = VirtioNetHeader()
        header.flags = .needsChecksum
        header.checksumStart = 34
        header.checksumOffset = 6
        return header
    }

    private func bytes(_ header: VirtioNetHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: VirtioNetHeader.byteCount)
        _ = write(header, to: &bytes)
        return bytes
    }

    private func udpReceiver() throws -> PacketConn {
        try VethPair.current.enter(.right) { () throws(SystemError) in
            try PacketConn.listenUDP(
                on: SocketAddress(.v4(0), port: 7000), interface: Interface(named: VethPair.interfaceName))
        }
    }

    /// Headers and lengths of the frames that arrive.
    private func receive(_ connection: PacketConn, _ count: Int) throws -> [(VirtioNetHeader, Int)] {
        var packets: [(VirtioNetHeader, Int)] = []
        try connection.receiveAll(count) { bytes, packet in
            if let header = VirtioNetHeader(bytes) { packets.append((header, packet.length)) }
        }
        return packets
    }

    @Test(
        "A frame whose checksum is left to the NIC arrives so, with and without the header",
        arguments: [true, false])
    func checksum(dual: Bool) throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left, etherType: 0x0800, dual: dual) { $0.options.virtioNetHeader = true }
        let withHeader = try pair.listen(.right, etherType: 0x0800, dual: dual) { $0.options.virtioNetHeader = true }
        let without = try pair.listen(.right, etherType: 0x0800)
        let socket = try udpReceiver()
        let frame = udpFrame(payload: [1, 2, 3, 4])
        try sender.writeTo(bytes(checksumHeader) + frame, id: 5)
        let (header, length) = try #require(try receive(withHeader, 1).first)
        #expect(header.flags == .needsChecksum && header.checksumStart == 34 && header.checksumOffset == 6)
        #expect(header.segmentation == .none && length == 10 + frame.count)
        try without.receiveAll(1) { bytes, packet in
            #expect(packet.isChecksumPending && bytes.byteCount == frame.count)
        }
        // The stack accepts it as valid.
        var buffer = [UInt8](repeating: 0, count: 64)
        socket.setReadDeadline(monotonic: soon())
        let (count, _) = try socket.receive(into: &buffer)
        #expect(Array(buffer[..<count]) == [1, 2, 3, 4])
        #expect(try sender.receiveStamps(2).map(\.id) == [5, 5])
    }

    @Test("A frame longer than the MTU is one packet to packet sockets, and datagrams of the segment size to others")
    func segmentation() throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left, etherType: 0x0800) { $0.options.virtioNetHeader = true }
        let receiver = try pair.listen(.right, etherType: 0x0800) { $0.options.virtioNetHeader = true }
        let socket = try udpReceiver()
        var header = checksumHeader
        header.segmentation = .udp
        header.segmentSize = 1000
        header.headerLength = 42
        let frame = udpFrame(payload: (0..<2500).map { UInt8(truncatingIfNeeded: $0 / 1000) })
        try sender.writeTo(bytes(header) + frame, id: 6)
        let (received, length) = try #require(try receive(receiver, 1).first)
        #expect(received.segmentation == .udp && received.segmentSize == 1000 && length == 10 + frame.count)
        var datagrams: [(UInt8, Int)] = []
        try socket.receiveAll(3) { bytes, _ in bytes.withUnsafeBytes { datagrams.append(($0[0], $0.count)) } }
        #expect(datagrams.map(\.0) == [0, 1, 2] && datagrams.map(\.1) == [1000, 1000, 500])
    }

    @Test("Headers that the kernel rejects give EINVAL, and later frames keep their ids", arguments: StampTests.Way.all)
    func refused(way: StampTests.Way) throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left, etherType: 0x0800, dual: way.dual) {
            $0.identifiers = way.identifiers
            $0.options.virtioNetHeader = true
        }
        let frame = udpFrame(payload: [1, 2, 3, 4])
        var unknown = checksumHeader
        unknown.segmentation = .init(rawValue: 0x7F)
        var long = checksumHeader
        long.headerLength = 5000
        var outside = checksumHeader
        outside.checksumStart = 60000
        var short = checksumHeader
        short.segmentation = .udp
        for (name, packet) in [
            ("kind", bytes(unknown) + frame), ("header", bytes(long) + frame), ("checksum", bytes(outside) + frame),
            ("no segment size", bytes(short) + frame), ("no frame", bytes(checksumHeader)), ("cut", [1, 2, 3]),
        ] {
            #expect(errorCode { () throws(SystemError) in try sender.writeTo(packet, id: 1) } == EINVAL, "\(name)")
            try sender.writeTo(bytes(checksumHeader) + frame, id: 7)
            #expect(try sender.receiveStamps(2).map(\.id) == [7, 7], "\(name)")
        }
        // The MTU does not include the header.
        let full = udpFrame(payload: [UInt8](repeating: 1, count: 1472))
        try sender.writeTo(bytes(checksumHeader) + full, id: 8)
        for more in [1, 4, 5] {
            let packet = bytes(VirtioNetHeader()) + full + [UInt8](repeating: 0, count: more)
            #expect(errorCode { () throws(SystemError) in try sender.writeTo(packet, id: 1) } == EMSGSIZE, "\(more)")
        }
        try sender.writeTo(bytes(checksumHeader) + full, id: 9)
        #expect(try sender.receiveStamps(4).map(\.id) == [8, 8, 9, 9])
    }

    @Test("A buffer without room for the header gives EINVAL, and the next frame is received")
    func noRoom() throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right) { $0.options.virtioNetHeader = true }
        try pair.listen(.left).sendFrames([1, 2])
        receiver.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: 9)
        #expect(errorCode { () throws(SystemError) in _ = try receiver.receive(into: &buffer) } == EINVAL)
        buffer = [UInt8](repeating: 0, count: 10 + 60)
        let (count, packet) = try receiver.receive(into: &buffer)
        #expect(count == 70 && packet.length == 70 && !packet.isTruncated && Array(buffer[10...]) == frame(2))
    }

    @Test("Datagram sockets have no header: EINVAL and a remedy")
    func datagramSocket() throws {
        let pair = try VethPair.current
        let error = try #require(throws: SystemError.self) {
            _ = try pair.listen(.left, type: .datagram) { $0.options.virtioNetHeader = true }
        }
        #expect(error.code == EINVAL && error.remedy?.contains("raw") == true)
    }
}
