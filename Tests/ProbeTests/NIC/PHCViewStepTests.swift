import HostClocks
import STAMPWire
import Testing

@testable import probe

@Suite struct PHCViewStepTests {
    private func model(_ realtime: Int64) -> ClockModel {
        ClockModel(
            anchor: ClockReading(hardware: 1000, realtime: realtime, error: 50, method: .extended), rate: 1,
            rateError: 0, wander: 0)
    }

    @Test func `After a clock step no timestamp is converted by an earlier reading, even if it is published later`() {
        let clock = PublishedPHC(model(5000))
        var view = PHCView(clock)
        #expect(view.stamp(1010).realtime == 5010)
        view.forget()
        #expect(view.stamp(1010).realtime == nil)
        view.refresh()
        #expect(view.stamp(1010).realtime == nil)
        // This reading began before the clock step.
        clock.publish(model(5000))
        view.refresh()
        #expect(view.stamp(1010).realtime == nil)
        clock.publish(model(9000))
        view.refresh()
        #expect(view.stamp(1010).realtime == 9010)
    }

    @Test func `Without a PHC a clock step changes nothing`() {
        var view = PHCView(nil)
        view.forget()
        #expect(view.stamp(1) == HardwareStamp(time: 1))
    }
}
