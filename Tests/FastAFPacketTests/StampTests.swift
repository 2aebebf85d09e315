import LinuxKernel
import Testing

@testable import FastAFPacket

/// Timestamps of real frames on a veth pair.
@Suite(.needsRoot, .vethPair)
struct StampTests {
    struct Way: CustomTestStringConvertible {
        var dual: Bool
        var identifiers: PacketConn.Identifiers
        var testDescription: String { "\(dual ? "two sockets" : "one socket"), ids \(identifiers)" }
        static let all = [true, false].flatMap { dual in
            [PacketConn.Identifiers.automatic, .counted].map { Way(dual: dual, identifiers: $0) }
        }
    }

    @Test(
        "A batch of 64 frames arrives with timestamps, and its SCHED and SND timestamps return by id",
        arguments: Way.all)
    func batch(way: Way) throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left, dual: way.dual) { $0.identifiers = way.identifiers }
        let receiver = try pair.listen(.right, dual: way.dual)
        #expect(sender.transmitStamps == [.sched, .software])
        try warmUp(sender, receiver)

        let ids = (0..<64).map { 0xFFFF_FFE0 &+ UInt32($0) }
        try sender.sendFrames(ids)
        var received: [UInt32: Int64] = [:]
        try receiver.receiveAll(64) { bytes, packet in
            #expect(packet.stamps.hardware == nil)
            received[number(in: bytes)] = packet.stamps.software
        }
        let stamps = try sender.receiveStamps(128)
        let sched = Dictionary(grouping: stamps.filter { $0.stage == .sched }, by: \.id)
        let sent = Dictionary(grouping: stamps.filter { $0.stage == .sent }, by: \.id)
        for id in ids {
            let times = [sched[id]?.first?.stamps.software, sent[id]?.first?.stamps.software, received[id]]
            #expect(sched[id]?.count == 1 && sent[id]?.count == 1 && !times.contains(nil), "id \(id): \(times)")
            #expect(times.compactMap { $0 } == times.compactMap { $0 }.sorted(), "id \(id)")
        }
    }

    @Test(
        "A connection that requests no receive timestamps gets none, though another socket has them",
        arguments: [true, false])
    func noReceiveStamps(dual: Bool) throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left)
        let other = try pair.listen(.right)
        let receiver = try pair.listen(.right, dual: dual) { $0.receiveStamps = false }
        try warmUp(sender, other)
        _ = try receiver.receiveNumbers(.max, seconds: 0.05)
        try sender.sendFrames([1])
        try other.receiveAll(1) { _, packet in #expect(packet.stamps.software != nil) }
        try receiver.receiveAll(1) { bytes, packet in
            #expect(number(in: bytes) == 1 && packet.stamps == SocketTimestamps())
        }
    }

    @Test("Ids of one connection are all counted or all given: given from Linux 6.13 on")
    func identifiers() throws {
        let release = Host.kernelRelease.split(separator: ".").prefix(2).compactMap { Int($0.prefix { $0.isNumber }) }
        let isNew = (release[0], release[1]) >= (6, 13)
        let pair = try VethPair.current
        #expect(try (pair.listen(.left).identifierMap == nil) == isNew)
        #expect(try pair.listen(.left) { $0.identifiers = .counted }.identifierMap != nil)
    }
}
