import Testing

@testable import Report

@Suite struct SampleOrderTests {
    /// An outgoing packet that was sent at 0, scheduled at 1500 and passed to the driver at 4000 ns after sampleTime.
    private func out(sampledAt offset: Int64) -> PacketRecord {
        var record = fullRecord()
        record.sample = sampleTime + offset
        return record
    }

    @Test(arguments: [1500, 2000, 4000])
    func `A sample between scheduler and driver is in order`(offset: Int64) {
        #expect(out(sampledAt: offset).orderViolation() == nil)
    }

    @Test func `A sample before the scheduler is a violation with both times`() throws {
        let violation = try #require(out(sampledAt: 1499).orderViolation())
        #expect(violation.first == .init(.sched, sampleTime + 1500))
        #expect(violation.second == .init(.sample, sampleTime + 1499))
        #expect(
            violation.text
                == "outgoing probe 13 was sampled at 2026-11-21T10:14:00.123458288Z, 1 ns before it was scheduled at "
                + "2026-11-21T10:14:00.123458289Z")
    }

    @Test func `A sample after the driver is a violation with both times`() throws {
        let violation = try #require(out(sampledAt: 4001).orderViolation())
        #expect(violation.first == .init(.sample, sampleTime + 4001))
        #expect(violation.second == .init(.driver, sampleTime + 4000))
    }

    @Test func `A send call after the scheduler or the sampler is a violation if the packet was sampled`() throws {
        var record = out(sampledAt: 2000)
        record.transmitApp = sampleTime + 1501
        #expect(try #require(record.orderViolation()).second.moment == .sched)
        record.transmitSched = nil
        #expect(record.orderViolation() == nil)
        record.transmitApp = sampleTime + 2001
        #expect(try #require(record.orderViolation()).first.moment == .send)
        record.sample = nil
        #expect(record.orderViolation() == nil)
    }

    @Test func `Missing timestamps are no violation`() {
        var record = PacketRecord(session: 1, packet: .probe, sequence: 1, direction: .out)
        record.sample = 5
        #expect(record.orderViolation() == nil)
        record.direction = .in
        #expect(record.orderViolation() == nil)
    }

    @Test func `A sample of a received packet before its receive timestamp is a violation`() throws {
        var record = fullRecord()
        record.direction = .in
        record.packet = .reply
        let received = try #require(record.receiveSoftware)
        record.sample = received
        #expect(record.orderViolation() == nil)
        record.sample = received - 1
        let violation = try #require(record.orderViolation())
        #expect(violation.first == .init(.receive, received))
        #expect(violation.second == .init(.sample, received - 1))
        #expect(violation.text.hasPrefix("incoming reply 13 was sampled at "))
        #expect(violation.text.contains("1 ns before it was received"))
        // The peer's timestamps are of another clock.
        record.sample = received + 1
        record.transmitSoftware = 0
        #expect(record.orderViolation() == nil)
    }

    @Test func `Times at the ends of the range do not overflow`() throws {
        var record = out(sampledAt: 0)
        record.transmitApp = .max
        record.transmitSched = nil
        record.sample = .min
        #expect(try #require(record.orderViolation()).text.contains("before it was sent"))
    }
}
