import Glibc
import LinuxKernel
import Testing

@testable import FastAFPacket

/// Launch times with a queueing discipline that keeps them.
@Suite(.lab, .serialized)
struct LabLaunchTimeTests {
    private func connect(_ clock: LaunchTimes.Clock) throws -> PacketConn {
        try LabNIC.connect {
            $0.launchTimes = LaunchTimes(clock)
            $0.transmitStamps = .software
        }
    }

    private func send(_ connection: PacketConn, id: UInt32, launchTime: Int64) throws {
        var batch = SendBatch(capacity: 1, packetBytes: 64)
        batch.append(id: id, options: SendOptions(launchTime: launchTime)) { span in
            span.withUnsafeMutableBytes { $0.copyBytes(from: frame(id)) }
            return 60
        }
        #expect(try connection.send(&batch) == 1)
    }

    /// The ids and driver transmit timestamps of `count` sends, in order of sending, converted to `clock`.
    private func leave(_ connection: PacketConn, _ count: Int, clock: ClockID) throws -> [(id: UInt32, time: Int64)] {
        let stamps = try connection.receiveStamps(count)
        let offset = clock.now() - ClockID.realtime.now()
        return try stamps.map { ($0.id, try #require($0.stamps.software) + offset) }
    }

    private func launchErrors(_ connection: PacketConn, _ count: Int) throws -> [LaunchError] {
        var batch = StampBatch(capacity: 8)
        var errors: [LaunchError] = []
        while errors.count < count {
            connection.setReadDeadline(monotonic: soon())
            try connection.receiveTransmitStamps(&batch)
            batch.forEachLaunchError { errors.append($0) }
        }
        return errors
    }

    @Test("fq keeps frames until their launch times, whatever the order of sending")
    func fq() throws {
        try LabNIC.queueing(by: "fq") {
            let connection = try connect(.monotonic)
            let now = ClockID.monotonic.now()
            let times = [1: now + 600_000_000, 2: now + 300_000_000, 3: now + 450_000_000] as [UInt32: Int64]
            for id in times.keys.sorted() { try send(connection, id: id, launchTime: times[id]!) }
            try #require(ClockID.monotonic.now() < times[2]!, "the machine is too slow for this test")
            let left = try leave(connection, 3, clock: .monotonic)
            #expect(left.map(\.id) == [2, 3, 1])
            for (id, time) in left { #expect(time >= times[id]!, "frame \(id) left \(times[id]! - time) ns early") }
        }
    }

    /// An emulated machine is late by milliseconds, so etf sends this much earlier.
    private let delta: Int64 = 100_000_000

    @Test("etf sends frames shortly before their launch times, and reports those that came too late")
    func etf() throws {
        try LabNIC.queueing(by: "etf clockid CLOCK_TAI delta \(delta)") {
            let connection = try connect(.tai)
            let now = ClockID.tai.now()
            let times = [1: now + 600_000_000, 3: now + 300_000_000] as [UInt32: Int64]
            try send(connection, id: 1, launchTime: times[1]!)
            // The send reports it as well, and later frames keep their ids.
            let error = try #require(throws: SystemError.self) { try send(connection, id: 2, launchTime: now - 1) }
            #expect(error.code == ENOBUFS)
            try send(connection, id: 3, launchTime: times[3]!)
            try #require(ClockID.tai.now() < times[3]! - delta, "the machine is too slow for this test")
            #expect(try launchErrors(connection, 1) == [LaunchError(reason: .invalid, launchTime: now - 1)])
            let left = try leave(connection, 2, clock: .tai)
            #expect(left.map(\.id) == [3, 1])
            for (id, time) in left {
                let early = times[id]! - time
                #expect(early > 0 && early <= delta, "frame \(id) left \(early) ns before its time")
            }
        }
    }

    @Test("etf with delta 0 drops frames that waited, and reports their launch times")
    func missed() throws {
        try LabNIC.queueing(by: "etf clockid CLOCK_TAI delta 0") {
            let connection = try connect(.tai)
            let time = ClockID.tai.now() + 200_000_000
            try send(connection, id: 1, launchTime: time)
            #expect(try launchErrors(connection, 1) == [LaunchError(reason: .missed, launchTime: time)])
        }
    }
}
