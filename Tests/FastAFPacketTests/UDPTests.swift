import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@Suite(.needsRoot, .vethPair)
struct UDPTests {
    private func listen(
        _ side: VethPair.Side, isIPv4: Bool, port: UInt16 = 0, hopLimit: UInt8 = 255,
        _ change: (inout PacketConn.Configuration) -> Void = { _ in }
    ) throws -> PacketConn {
        var configuration = PacketConn.Configuration()
        change(&configuration)
        return try VethPair.current.enter(side) { () throws(SystemError) in
            try PacketConn.listenUDP(
                on: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: port),
                interface: Interface(named: VethPair.interfaceName), hopLimit: hopLimit, configuration: configuration)
        }
    }

    private func address(_ side: VethPair.Side, isIPv4: Bool) throws -> IPAddress {
        try #require(IPAddress(isIPv4 ? VethPair.ipv4(side) : VethPair.ipv6(side)))
    }

    @Test(
        "A datagram arrives with its source, local address, hop limit, traffic class and timestamps",
        arguments: [true, false], [PacketConn.Identifiers.automatic, .counted])
    func exchange(isIPv4: Bool, identifiers: PacketConn.Identifiers) throws {
        let sender = try listen(.left, isIPv4: isIPv4, hopLimit: 37) { $0.identifiers = identifiers }
        let receiver = try listen(.right, isIPv4: isIPv4, port: 8620)
        #expect(sender.transmitStamps == [.sched, .software] && sender.localAddress == nil && sender.interface == nil)
        let port = try #require(sender.localSocketAddress).port
        #expect(port != 0 && receiver.localSocketAddress?.port == 8620)
        let destination = SocketAddress(try address(.right, isIPv4: isIPv4), port: 8620)
        let source = try address(.left, isIPv4: isIPv4)
        let destinationAddress = destination.address
        var received = 0
        let end = soon()
        var id: UInt32 = 1000
        // The first one may have no receive timestamp.
        while received == 0, ClockID.monotonic.now() < end {
            id += 1
            var batch = SendBatch(capacity: 1, packetBytes: 64)
            let options = SendOptions(destination: destination, source: source, trafficClass: 46 << 2)
            batch.append(id: id, options: options) { span in
                span.withUnsafeMutableBytes { $0.copyBytes(from: [1, 2, 3]) }
                return 3
            }
            _ = try sender.send(&batch)
            try receiver.receiveAll(1) { bytes, packet in
                #expect(bytes.withUnsafeBytes { Array($0) } == [1, 2, 3])
                #expect(packet.length == 3 && !packet.isTruncated && packet.link == nil)
                #expect(packet.source?.address == source && packet.source?.port == port)
                #expect(packet.localAddress == destinationAddress)
                #expect(packet.hopLimit == 37 && packet.trafficClass == 46 << 2)
                if let software = packet.stamps.software, abs(software - ClockID.realtime.now()) < 5_000_000_000 {
                    received += 1
                }
            }
            let stamps = try sender.receiveStamps(2)
            #expect(stamps.map(\.id) == [id, id] && Set(stamps.map(\.stage)) == [.sched, .sent])
            #expect(stamps.allSatisfy { $0.stamps.software != nil })
        }
        #expect(received == 1)
    }

    @Test("A datagram longer than the buffer is marked, with its real length")
    func truncated() throws {
        let sender = try listen(.left, isIPv4: true)
        let receiver = try listen(.right, isIPv4: true, port: 8620)
        let destination = SocketAddress(try address(.right, isIPv4: true), port: 8620)
        try sender.writeTo([UInt8](repeating: 7, count: 300), destination: destination, id: 1)
        try sender.writeTo([], destination: destination, id: 2, expecting: EINVAL)
        receiver.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: 100)
        let (count, packet) = try receiver.receive(into: &buffer)
        #expect(count == 100 && packet.isTruncated && packet.length == 300)
    }

    @Test("A port in use gives EADDRINUSE")
    func inUse() throws {
        let first = try listen(.left, isIPv4: true, port: 8620)
        let error = try #require(throws: SystemError.self) { _ = try listen(.left, isIPv4: true, port: 8620) }
        #expect(error.code == EADDRINUSE)
        // The same port of the other address family is free.
        _ = try listen(.left, isIPv4: false, port: 8620)
        first.close()
        // A process that another test is about to start may keep the socket for a moment longer.
        #expect(eventually { (try? listen(.left, isIPv4: true, port: 8620)) != nil })
    }

    @Test("A filter attached before the bind drops datagrams, and statistics count them")
    func filter() throws {
        let receiver = try listen(.right, isIPv4: true, port: 8620) { $0.filter = .dropAll }
        let sender = try listen(.left, isIPv4: true)
        let destination = SocketAddress(try address(.right, isIPv4: true), port: 8620)
        try sender.writeTo([1], destination: destination, id: 1)
        let open = Filter(instructions: [Filter.Instruction(code: 0x06, k: .max)])
        try receiver.setFilter(open)
        try sender.writeTo([2], destination: destination, id: 2)
        receiver.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(try receiver.receive(into: &buffer).count == 1 && buffer[0] == 2)
        let statistics = try receiver.statistics()
        #expect(statistics.packets == 1 && statistics.drops == 1 && statistics.queueFreezes == 0)
    }

    @Test("Datagrams that find the buffer full are counted as dropped")
    func drops() throws {
        let receiver = try listen(.right, isIPv4: true, port: 8620) { $0.receiveBufferBytes = 8192 }
        let sender = try listen(.left, isIPv4: true)
        let destination = SocketAddress(try address(.right, isIPv4: true), port: 8620)
        for id in 0..<500 {
            try sender.writeTo([UInt8](repeating: 1, count: 500), destination: destination, id: UInt32(id))
        }
        var batch = ReceiveBatch(capacity: 64, packetBytes: 512)
        var received: UInt64 = 0
        while try receiver.receiveNow(&batch) > 0 { received += UInt64(batch.count) }
        let statistics = try receiver.statistics()
        #expect(statistics.packets == received && statistics.drops == 500 - received && received < 500)
    }

    @Test("Datagrams on other interfaces are ignored")
    func otherInterface() throws {
        let pair = try VethPair.current
        let receiver = try listen(.right, isIPv4: true, port: 8620)
        let loopback = try pair.enter(.right) { () throws(SystemError) in
            try PacketConn.listenUDP(on: SocketAddress(.v4(0), port: 0), interface: Interface(named: "lo"))
        }
        try loopback.writeTo([9], destination: SocketAddress(.v4(0x7F00_0001), port: 8620), id: 1)
        #expect(try loopback.receiveStamps(2).count == 2)
        let destination = SocketAddress(try address(.right, isIPv4: true), port: 8620)
        try listen(.left, isIPv4: true).writeTo([1], destination: destination, id: 1)
        receiver.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(try receiver.receive(into: &buffer).count == 1 && buffer[0] == 1)
    }

    @Test("A port-unreachable reply from the other host does not end the connection")
    func unreachable() throws {
        let sender = try listen(.left, isIPv4: true, port: 8621)
        let nobody = SocketAddress(try address(.right, isIPv4: true), port: 9)
        for id in 0..<5 as Range<UInt32> { try sender.writeTo([1], destination: nobody, id: id) }
        #expect(try sender.receiveStamps(10).count == 10)
        let here = SocketAddress(try address(.left, isIPv4: true), port: 8621)
        try listen(.right, isIPv4: true).writeTo([5], destination: here, id: 0)
        sender.setReadDeadline(monotonic: soon())
        var buffer = [UInt8](repeating: 0, count: 8)
        #expect(try sender.receive(into: &buffer).count == 1 && buffer[0] == 5)
    }
}

extension PacketConn {
    fileprivate func writeTo(_ payload: [UInt8], destination: SocketAddress, id: UInt32, expecting code: Int32) throws {
        #expect(errorCode { () throws(SystemError) in try writeTo(payload, destination: destination, id: id) } == code)
    }
}
