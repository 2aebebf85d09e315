import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

/// Ids that the kernel counts stay right after sends that fail, and with batches sent on other connections.
@Suite(.needsRoot, .vethPair)
struct CountedIdentifierTests {
    private func counted(_ side: VethPair.Side, type: PacketConn.SocketType = .raw) throws -> PacketConn {
        try VethPair.current.listen(side, type: type) {
            $0.identifiers = .counted
            $0.transmitStamps = .software
        }
    }

    @Test(
        "A datagram that is too long is counted only if the kernel checked it after building it",
        arguments: [1501, 1504, 1505, 1510, 1518, 1519])
    func datagramTooLong(payload: Int) throws {
        let connection = try counted(.left, type: .datagram)
        let receiver = LinkAddress(
            try #require(MACAddress(VethPair.mac(.right))),
            interfaceIndex: try VethPair.current.interface(.left).index, etherType: testEtherType)
        let code = errorCode { () throws(SystemError) in
            try connection.writeTo([UInt8](repeating: 0, count: payload), address: receiver, id: 100)
        }
        #expect(code == EMSGSIZE)
        try connection.writeTo([1, 2, 3, 4], address: receiver, id: 200)
        #expect(try connection.receiveStamps(1).map(\.id) == [200])
    }

    @Test("A UDP datagram without room for its fragments is not counted")
    func noBuffers() throws {
        let pair = try VethPair.current
        try pair.ip(.left, "link set \(VethPair.interfaceName) mtu 100")
        var configuration = PacketConn.Configuration()
        configuration.identifiers = .counted
        configuration.transmitStamps = .software
        let connection = try pair.enter(.left) { () throws(SystemError) in
            try PacketConn.listenUDP(
                on: SocketAddress(.v4(0), port: 0), interface: Interface(named: VethPair.interfaceName),
                configuration: configuration)
        }
        let peer = SocketAddress(try #require(IPAddress(VethPair.ipv4(.right))), port: 9)
        let code = errorCode { () throws(SystemError) in
            try connection.writeTo([UInt8](repeating: 0, count: 65000), destination: peer, id: 100)
        }
        #expect(code == ENOBUFS)
        try connection.writeTo([1, 2, 3, 4], destination: peer, id: 200)
        #expect(try connection.receiveStamps(1).map(\.id) == [200])
    }

    @Test("A datagram that a firewall refused is counted", arguments: [VethPair.ipv4(.right), VethPair.ipv6(.right)])
    func firewall(address: String) throws {
        let pair = try VethPair.current
        let rules =
            "add table inet t; add chain inet t out { type filter hook output priority 0; }; "
            + "add rule inet t out udp dport 10 drop"
        try pair.run(.left, ["nft", rules])
        var configuration = PacketConn.Configuration()
        configuration.identifiers = .counted
        configuration.transmitStamps = .software
        let destination = try #require(IPAddress(address))
        let connection = try pair.enter(.left) { () throws(SystemError) in
            try PacketConn.listenUDP(
                on: SocketAddress(destination.isIPv4 ? .v4(0) : .v6(0), port: 0),
                interface: Interface(named: VethPair.interfaceName), configuration: configuration)
        }
        let code = errorCode { () throws(SystemError) in
            try connection.writeTo([1, 2, 3, 4], destination: SocketAddress(destination, port: 10), id: 100)
        }
        #expect(code == EPERM)
        try connection.writeTo([1, 2, 3, 4], destination: SocketAddress(destination, port: 9), id: 200)
        #expect(try connection.receiveStamps(1).map(\.id) == [200])
    }

    private func batch(id: UInt32) -> SendBatch {
        var batch = SendBatch(capacity: 1, packetBytes: 64)
        batch.append(id: id) { span in
            span.withUnsafeMutableBytes { $0.copyBytes(from: frame(id)) }
            return 60
        }
        return batch
    }

    @Test("A batch sent without timestamps keeps its ids on a connection with timestamps")
    func withoutThenWith() throws {
        let pair = try VethPair.current
        var batch = batch(id: 77)
        _ = try pair.listen(.left) { $0.transmitStamps = [] }.send(&batch)
        let connection = try pair.listen(.left) { $0.transmitStamps = .software }
        _ = try connection.send(&batch)
        #expect(try connection.receiveStamps(1).map(\.id) == [77])
    }

    @Test("A batch sent with given ids can be sent on a connection that counts, and back")
    func givenThenCounted() throws {
        let given = try VethPair.current.listen(.left) { $0.transmitStamps = .software }
        let counted = try counted(.left)
        var batch = batch(id: 77)
        _ = try given.send(&batch)
        _ = try counted.send(&batch)
        try counted.writeTo(frame(78), id: 78)
        #expect(try counted.receiveStamps(2).map(\.id) == [77, 78])
        _ = try given.send(&batch)
        #expect(try given.receiveStamps(2).map(\.id) == [77, 77])
    }
}
