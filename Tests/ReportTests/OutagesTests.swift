import Testing

@testable import Report

@Suite struct OutagesTests {
    /// The outages of probes with these outcomes, sent 10 ms apart from 0 by CLOCK_MONOTONIC and from 1000 s by
    /// CLOCK_REALTIME.
    private func outages(_ outcomes: [ProbeOutcome]) -> Outages {
        var outages = Outages()
        for (index, outcome) in outcomes.enumerated() {
            let time = Int64(index) * 10_000_000
            outages.add(outcome, sequence: UInt32(index) &+ 100, sentAt: time, realtime: 1_000_000_000_000 + time)
        }
        outages.finish()
        return outages
    }

    private func repeated(_ outcome: ProbeOutcome, _ count: Int) -> [ProbeOutcome] {
        Array(repeating: outcome, count: count)
    }

    @Test func `An outage lasts from its first probe to the next answered one, and counts the outcomes of its probes`()
        throws
    {
        let found = outages(
            repeated(.answered, 5) + repeated(.lostForward, 20) + repeated(.notSent(100), 15) + repeated(.notSent(1), 2)
                + repeated(.lostReverse, 3) + repeated(.lostUnknown, 4) + repeated(.answered, 5))
        #expect(found.count == 1 && found.probes == 44)
        let outage = try #require(found.listed.first)
        #expect(outage.start == 1_000_050_000_000 && outage.firstSequence == 105)
        #expect(outage.duration == 440_000_000 && !outage.isOpen)
        #expect(outage.lostForward == 20 && outage.lostReverse == 3 && outage.lostUnknown == 4 && outage.notSent == 17)
        #expect(outage.sendError == 100, "the first one's")
        #expect(found.open == nil)
    }

    @Test func `Losses shorter than 250 ms, or of fewer than three probes, are no outage`() {
        #expect(outages([.answered] + repeated(.lostForward, 24) + [.answered]).count == 0)
        #expect(outages([.answered] + repeated(.lostForward, 25) + [.answered]).count == 1)
        var slow = Outages()
        for (index, outcome) in [ProbeOutcome.answered, .lostForward, .lostForward, .answered].enumerated() {
            slow.add(outcome, sequence: UInt32(index), sentAt: Int64(index) * 1_000_000_000, realtime: 0)
        }
        slow.finish()
        #expect(slow.count == 0)
    }

    @Test func `An outage that lasts to the end is open`() throws {
        let found = outages([.answered] + repeated(.lostUnknown, 30))
        let open = try #require(found.open)
        #expect(open.isOpen && open.lostUnknown == 30 && open.duration == 290_000_000)
        #expect(found.listed == [open])
    }

    @Test func `Outages beyond the limit are counted, and an open one is still known`() {
        var outcomes: [ProbeOutcome] = []
        for _ in 0..<(Outages.limit + 3) { outcomes += [.answered] + repeated(.lostForward, 30) }
        let found = outages(outcomes)
        #expect(found.count == UInt64(Outages.limit) + 3)
        #expect(found.listed.count == Outages.limit)
        #expect(found.open?.firstSequence == 100 + UInt32(Outages.limit + 2) * 31 + 1)
    }

    @Test func `The list as text fits 80 columns and shows the cause`() {
        var found = outages(
            repeated(.answered, 2) + repeated(.notSent(100), 200) + [.answered] + repeated(.lostUnknown, 40))
        found.explain { $0.sendError == nil ? nil : "the kernel refused to send: Network is down" }
        let expected = """
            outages: 2, 240 probes
              1970-01-01T00:16:40.020Z, from probe 102, for 2.000 s
                200 not sent: the kernel refused to send: Network is down
              1970-01-01T00:16:42.030Z, from probe 303, for 390.0 ms, to the end
                40 lost, direction unknown
            """
        #expect(found.lines().joined(separator: "\n") == expected)
        #expect(found.lines().allSatisfy { $0.count <= 80 })
        #expect(Outages().lines().isEmpty)
    }

    @Test func `The list as JSON has every figure`() throws {
        let found = outages([.answered] + repeated(.notSent(105), 30) + [.answered])
        #expect(
            found.jsonValue.compact
                == "[{\"start\":\"1970-01-01T00:16:40.010000000Z\",\"start_ns\":1000010000000,\"duration_ns\":300000000,"
                + "\"open\":false,\"from_probe\":101,\"probes\":30,\"lost_forward\":0,\"lost_reverse\":0,"
                + "\"lost_unknown\":0,\"not_sent\":30,\"send_errno\":105,\"cause\":null}]")
    }

    @Test func `An outage of the last probes is closed if other replies came after them`() throws {
        var found = Outages()
        for index in 0..<40 as Range<UInt32> {
            let time = Int64(index) * 10_000_000
            found.add(index == 0 ? .answered : .lostUnknown, sequence: index, sentAt: time, realtime: time)
        }
        found.finish(isOpen: false)
        #expect(found.open == nil && found.count == 1)
        #expect(try #require(found.listed.first).isOpen == false)
    }
}
