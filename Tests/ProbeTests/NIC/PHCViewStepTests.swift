import HostClocks
import STAMPWire
import Testing

@testable import probe

@Suite struct CardTimeStepTests {
    private func model(_ realtime: Int64) -> ClockModel {
        ClockModel(
            anchor: ClockReading(hardware: 1000, realtime: realtime, error: 50, method: .extended), rate: 1,
            rateError: 0, wander: 0)
    }

    @Test func `After a step no stamp is converted by what was read before it, not even if that comes later`() {
        let clock = PublishedPHC(model(5000))
        var time = PHCView(clock)
        #expect(time.stamp(1010).realtime == 5010)
        time.forget()
        #expect(time.stamp(1010).realtime == nil)
        time.refresh()
        #expect(time.stamp(1010).realtime == nil)
        // Its reading was under way when the clock was set.
        clock.publish(model(5000))
        time.refresh()
        #expect(time.stamp(1010).realtime == nil)
        clock.publish(model(9000))
        time.refresh()
        #expect(time.stamp(1010).realtime == 9010)
    }

    @Test func `Without a clock there is nothing to forget`() {
        var time = PHCView(nil)
        time.forget()
        #expect(time.stamp(1).realtime == nil)
    }
}
