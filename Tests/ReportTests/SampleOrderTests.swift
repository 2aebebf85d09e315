import Testing

@testable import Report

@Suite struct SampleOrderTests {
    /// A packet on its way out: sent at 0, scheduled at 1500, taken by the driver at 4000, all after sampleTime.
    private func out(sampledAt offset: Int64) -> PacketRecord {
        var record = fullRecord()
        record.sample = sampleTime + offset
        return record
    }

    @Test(arguments: [1500, 2000, 4000])
    func `a sample between scheduler and driver is in order`(offset: Int64) {
        #expect(out(sampledAt: offset).orderViolation() == nil)
    }

    @Test func `a sample from before the scheduler is reported with both times`() throws {
        let violation = try #require(out(sampledAt: 1499).orderViolation())
        #expect(violation.first == .init(.sched, sampleTime + 1500))
        #expect(violation.second == .init(.sample, sampleTime + 1499))
        #expect(
            violation.text
                == "probe 13 on its way out was sampled at 2026-11-21T10:14:00.123458288Z, 1 ns before it was scheduled, "
                + "at 2026-11-21T10:14:00.123458289Z")
    }

    @Test func `a sample from after the driver is reported with both times`() throws {
        let violation = try #require(out(sampledAt: 4001).orderViolation())
        #expect(violation.first == .init(.sample, sampleTime + 4001))
        #expect(violation.second == .init(.driver, sampleTime + 4000))
    }

    @Test func `what is sent is sent before it is scheduled, sampled or taken by the driver`() throws {
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

    @Test func `stamps that are missing break no order`() {
        var record = PacketRecord(session: 1, packet: .probe, sequence: 1, direction: .out)
        record.sample = 5
        #expect(record.orderViolation() == nil)
        record.direction = .in
        #expect(record.orderViolation() == nil)
    }

    @Test func `a sample of a received packet comes after its receive stamp`() throws {
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
        #expect(violation.text.hasPrefix("reply 13 on its way in was sampled at "))
        #expect(violation.text.contains("1 ns before it was received"))
        // The peer's timestamps are of another clock.
        record.sample = received + 1
        record.transmitSoftware = 0
        #expect(record.orderViolation() == nil)
    }

    @Test func `times at the ends of the range are no trap`() throws {
        var record = out(sampledAt: 0)
        record.transmitApp = .max
        record.transmitSched = nil
        record.sample = .min
        #expect(try #require(record.orderViolation()).text.contains("before it was sent"))
    }
}
