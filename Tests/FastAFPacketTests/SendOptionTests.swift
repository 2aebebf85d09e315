import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

/// Timestamps that a single send requests.
@Suite(.needsRoot, .vethPair)
struct SendOptionTests {
    private let asked: [TransmitStampKinds?] = [
        nil, [], .software, [], .sched, nil, [.sched, .software], [], [], .software, nil,
    ]

    private func batch(payload: (Int) -> Int = { _ in 46 }, first: UInt32 = 100) -> SendBatch {
        var batch = SendBatch(capacity: asked.count, packetBytes: 1600)
        for (index, kinds) in asked.enumerated() {
            let bytes = frame(first + UInt32(index), payload: payload(index))
            batch.append(id: first + UInt32(index), options: SendOptions(stamps: kinds)) { span in
                span.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
                return bytes.count
            }
        }
        return batch
    }

    /// The kinds of timestamps that arrived, by id.
    private func kinds(_ connection: PacketConn) throws -> [UInt32: TransmitStampKinds] {
        try connection.receiveStamps(1000, seconds: 0.05).reduce(into: [:]) {
            $0[$1.id, default: []].formUnion($1.kinds)
        }
    }

    private func expected(
        _ connection: PacketConn, except refused: Set<Int> = [], first: UInt32 = 100
    ) -> [UInt32: TransmitStampKinds] {
        var expected: [UInt32: TransmitStampKinds] = [:]
        for (index, kinds) in asked.enumerated() where !refused.contains(index) {
            let kinds = kinds ?? connection.transmitStamps
            if !kinds.isEmpty { expected[first + UInt32(index)] = kinds }
        }
        return expected
    }

    @Test(
        "Each send gets the timestamps that it requests under its id, or the connection's if it requests none",
        arguments: StampTests.Way.all, [TransmitStampKinds.all, .sched, []])
    func perSend(way: StampTests.Way, ofConnection: TransmitStampKinds) throws {
        let pair = try VethPair.current
        let connection = try pair.listen(.left, dual: way.dual) {
            $0.identifiers = way.identifiers
            $0.transmitStamps = ofConnection
        }
        let receiver = try pair.listen(.right)
        for round in 0..<3 as Range<UInt32> {
            var batch = batch(first: 100 * round)
            let sent = try connection.send(&batch)
            #expect(sent == asked.count)
            #expect(try kinds(connection) == expected(connection, first: 100 * round))
        }
        #expect(try receiver.receiveNumbers(3 * asked.count).count == 3 * asked.count)
    }

    @Test(
        "Rejected packets, whether or not they request timestamps, do not shift the ids of later ones",
        arguments: StampTests.Way.all)
    func refused(way: StampTests.Way) throws {
        let connection = try VethPair.current.listen(.left, dual: way.dual) { $0.identifiers = way.identifiers }
        // With and without requests for timestamps; above the MTU within and beyond the room for a VLAN tag.
        let refused: Set<Int> = [0, 1, 3, 6, 7]
        var batch = batch(payload: { refused.contains($0) ? ($0 % 2 == 0 ? 1502 : 1520) : 46 })
        var index = 0
        var errors = 0
        while index < batch.count {
            do throws(SystemError) { index += try connection.send(&batch, from: index) } catch {
                #expect(error.code == EMSGSIZE)
                errors += 1
                index += 1
            }
        }
        #expect(errors == refused.count)
        #expect(try kinds(connection) == expected(connection, except: refused))
    }

    @Test(
        "A UDP connection's sends get the timestamps that they request",
        arguments: [PacketConn.Identifiers.automatic, .counted])
    func udp(identifiers: PacketConn.Identifiers) throws {
        let pair = try VethPair.current
        var configuration = PacketConn.Configuration()
        configuration.identifiers = identifiers
        let connection = try pair.enter(.left) { () throws(SystemError) in
            try PacketConn.listenUDP(
                on: SocketAddress(.v4(0), port: 0), interface: Interface(named: VethPair.interfaceName),
                configuration: configuration)
        }
        let destination = SocketAddress(try #require(IPAddress(VethPair.ipv4(.right))), port: 9)
        var batch = SendBatch(capacity: asked.count, packetBytes: 64)
        for (index, kinds) in asked.enumerated() {
            batch.append(
                id: 100 + UInt32(index), options: SendOptions(destination: destination, trafficClass: 8, stamps: kinds)
            ) { _ in 20 }
        }
        let sent = try connection.send(&batch)
        #expect(sent == asked.count)
        #expect(try kinds(connection) == expected(connection))
    }
}
