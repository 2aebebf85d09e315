import HostClocks
import LinuxKernel
import Report
import STAMPSession
import STAMPWire
import Testing

@testable import probe

@Suite struct PHCViewTests {
    /// A PHC that is half a second behind CLOCK_REALTIME, with an error of 40 ns.
    private static let model = ClockModel(
        anchor: ClockReading(hardware: 1_000_000_000, realtime: 1_500_000_000, error: 40, method: .extended), rate: 1,
        rateError: 0, wander: 0)

    @Test func `A timestamp is converted by the published model, once the view is refreshed`() {
        let clock = PublishedPHC()
        var view = PHCView(clock)
        #expect(view.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500))
        clock.publish(Self.model)
        #expect(view.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500))
        view.refresh()
        #expect(
            view.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500, realtime: 1_500_000_500, error: 40))
        // Directly after a clock step there is no model.
        clock.publish(nil)
        view.refresh()
        #expect(view.stamp(1_000_000_500) == HardwareStamp(time: 1_000_000_500))
    }

    @Test func `Without a PHC a timestamp is not converted`() {
        var view = PHCView(nil)
        view.refresh()
        #expect(view.stamp(7) == HardwareStamp(time: 7))
    }

    @Test func `An error bound beyond the wire format's range prevents the conversion`() {
        var model = Self.model
        model.anchor.error = Int64(UInt32.max) + 1
        #expect(PHCView(PublishedPHC(model)).stamp(1_000_000_000) == HardwareStamp(time: 1_000_000_000))
        model.anchor.error = Int64(UInt32.max)
        #expect(PHCView(PublishedPHC(model)).stamp(1_000_000_000).error == .max)
    }

    @Test(arguments: [
        (ReceiveStamping.none, MissingReason?.none), (.onlyPTP, .onlyPTP), (.notAsked, .notAsked), (.expected, .never),
    ])
    func `A received packet without a timestamp has the reason of its endpoint`(
        receipts: ReceiveStamping, reason: MissingReason?
    ) {
        var counts = ReceiveStampCounts()
        let stamp = PHCView(nil).received(nil, before: 0, receipts, &counts)
        #expect(stamp == HardwareStamp(missing: reason?.wireCode ?? 0))
        #expect(counts == ReceiveStampCounts(stamped: 0, missing: reason == nil ? 0 : 1))
    }

    @Test func `Once a timestamp has arrived, a missing one counts as skipped by the driver`() {
        var counts = ReceiveStampCounts()
        let view = PHCView(PublishedPHC(Self.model))
        #expect(view.received(1_000_000_000, before: 1_500_000_100, .expected, &counts).realtime == 1_500_000_000)
        #expect(view.received(nil, before: 0, .expected, &counts).missing == MissingReason.skippedByDriver.wireCode)
        #expect(counts == ReceiveStampCounts(stamped: 1, missing: 1))
    }

    @Test func `A timestamp outside of its possible time is not converted`() {
        // 1,500,000,500 ns of CLOCK_REALTIME, with an error of 40 ns.
        let view = PHCView(PublishedPHC(Self.model))
        let taken: Int64 = 1_000_000_500
        #expect(view.stamp(taken).plausible(in: 1_500_000_000...1_500_001_000).realtime == 1_500_000_500)
        #expect(view.stamp(taken).plausible(in: 1_500_000_000...1_500_000_460).realtime == 1_500_000_500)
        #expect(view.stamp(taken).plausible(in: 1_500_000_540...1_500_001_000).realtime == 1_500_000_500)
        #expect(view.stamp(taken).plausible(in: 1_500_000_000...1_500_000_459) == HardwareStamp(time: taken))
        #expect(view.stamp(taken).plausible(in: 1_500_000_541...1_500_001_000) == HardwareStamp(time: taken))
        // A PHC that was set by five seconds and has not been read since.
        var counts = ReceiveStampCounts()
        for step in [5_000_000_000, -5_000_000_000] as [Int64] {
            #expect(view.received(taken + step, before: 1_500_002_000, .expected, &counts).realtime == nil)
        }
        #expect(view.received(taken, before: 1_500_002_000, .expected, &counts).realtime == 1_500_000_500)
    }

    @Test func `A timestamp that was not requested is ignored`() {
        var counts = ReceiveStampCounts()
        #expect(PHCView(nil).received(5, before: 9, .none, &counts) == .none)
        #expect(counts == ReceiveStampCounts())
    }
}
