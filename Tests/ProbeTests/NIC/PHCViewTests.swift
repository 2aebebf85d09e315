import HostClocks
import LinuxKernel
import Report
import STAMPWire
import Testing

@testable import probe

@Suite struct CardTimeTests {
    /// A PHC that is half a second behind, and known to 40 ns.
    private static let model = ClockModel(
        anchor: ClockReading(hardware: 1_000_000_000, realtime: 1_500_000_000, error: 40, method: .extended), rate: 1,
        rateError: 0, wander: 0)

    @Test func `a stamp is converted by what was published, once the thread has taken it up`() {
        let clock = PublishedPHC()
        var time = PHCView(clock)
        #expect(time.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500))
        clock.publish(Self.model)
        #expect(time.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500))
        time.refresh()
        #expect(
            time.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500, realtime: 1_500_000_500, error: 40))
        // Directly after a step nothing is known.
        clock.publish(nil)
        time.refresh()
        #expect(time.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500))
    }

    @Test func `without a clock a stamp stays the nic's local`() {
        var time = PHCView(nil)
        time.refresh()
        #expect(time.stamp(7) == HardwareStamp(time: 7))
    }

    @Test func `a bound that is beyond the wire's is none`() {
        var model = Self.model
        model.anchor.error = Int64(UInt32.max) + 1
        #expect(PHCView(PublishedPHC(model)).stamp(1_000_000_000) == HardwareStamp(time: 1_000_000_000))
        model.anchor.error = Int64(UInt32.max)
        #expect(PHCView(PublishedPHC(model)).stamp(1_000_000_000).error == .max)
    }

    @Test(arguments: [
        (ReceiveStamping.none, MissingReason?.none), (.onlyPTP, .onlyPTP), (.notAsked, .notAsked), (.expected, .never),
    ])
    func `a received packet without a stamp has the reason of its endpoint`(
        receipts: ReceiveStamping, reason: MissingReason?
    ) {
        var counts = ReceiveStampCounts()
        let stamp = PHCView(nil).received(nil, before: 0, receipts, &counts)
        #expect(stamp == HardwareStamp(missing: reason?.wireCode ?? 0))
        #expect(counts == ReceiveStampCounts(stamped: 0, missing: reason == nil ? 0 : 1))
    }

    @Test func `once a stamp has come a missing one was left out, and is not one that never comes`() {
        var counts = ReceiveStampCounts()
        let time = PHCView(PublishedPHC(Self.model))
        #expect(time.received(1_000_000_000, before: 1_500_000_100, .expected, &counts).realtime == 1_500_000_000)
        #expect(time.received(nil, before: 0, .expected, &counts).missing == MissingReason.skippedByDriver.wireCode)
        #expect(counts == ReceiveStampCounts(stamped: 1, missing: 1))
    }

    @Test func `a stamp that can't have been taken then is not converted`() {
        // 1,500,000,500 by CLOCK_REALTIME, to 40 ns.
        let time = PHCView(PublishedPHC(Self.model))
        let taken: Int64 = 1_000_000_500
        #expect(time.stamp(taken, in: 1_500_000_000...1_500_001_000).realtime == 1_500_000_500)
        #expect(time.stamp(taken, in: 1_500_000_000...1_500_000_460).realtime == 1_500_000_500)
        #expect(time.stamp(taken, in: 1_500_000_540...1_500_001_000).realtime == 1_500_000_500)
        #expect(time.stamp(taken, in: 1_500_000_000...1_500_000_459) == HardwareStamp(time: taken))
        #expect(time.stamp(taken, in: 1_500_000_541...1_500_001_000) == HardwareStamp(time: taken))
        // A PHC that was set by five seconds, and has not been read since.
        var counts = ReceiveStampCounts()
        for step in [5_000_000_000, -5_000_000_000] as [Int64] {
            #expect(time.received(taken + step, before: 1_500_002_000, .expected, &counts).realtime == nil)
        }
        #expect(time.received(taken, before: 1_500_002_000, .expected, &counts).realtime == 1_500_000_500)
        var now = Self.model
        now.anchor.realtime = ClockID.realtime.now()
        let current = PHCView(PublishedPHC(now))
        let app = now.anchor.realtime - 1000
        #expect(current.sent(1_000_000_000, after: app).realtime == now.anchor.realtime)
        #expect(current.sent(1_000_000_000 + 5_000_000_000, after: app).realtime == nil)
        #expect(current.sent(1_000_000_000 - 5_000_000_000, after: app).realtime == nil)
    }

    @Test func `a stamp that nobody wants is not taken`() {
        var counts = ReceiveStampCounts()
        #expect(PHCView(nil).received(5, before: 9, .none, &counts) == .none)
        #expect(counts == ReceiveStampCounts())
    }
}
