import Testing

@testable import LinuxKernel

@Suite struct TimerSignalTests {
    private static let millisecond: Int64 = 1_000_000

    @Test func `a timer is raised at its time, and not before`() throws {
        var timer = try TimerSignal()
        #expect(try !timer.descriptor.waitForInput(timeout: 0))
        let now = ClockID.monotonic.now()
        timer.set(to: now + 5 * Self.millisecond, now)
        #expect(try timer.descriptor.waitForInput(timeout: 10_000 * Self.millisecond))
        #expect(ClockID.monotonic.now() >= now + 5 * Self.millisecond)
        #expect(try timer.descriptor.waitForInput(timeout: 0), "it stays raised")
    }

    @Test func `a raised timer that is set again is not raised until its new time`() throws {
        var timer = try TimerSignal()
        var now = ClockID.monotonic.now()
        timer.set(to: now + 1, now)
        #expect(try timer.descriptor.waitForInput(timeout: 10_000 * Self.millisecond))
        now = ClockID.monotonic.now()
        timer.set(to: now + 20_000 * Self.millisecond, now)
        #expect(try !timer.descriptor.waitForInput(timeout: Self.millisecond))
        timer.set(to: .max, ClockID.monotonic.now())
        #expect(try !timer.descriptor.waitForInput(timeout: Self.millisecond))
    }

    @Test func `an earlier time replaces a later one`() throws {
        var timer = try TimerSignal()
        let now = ClockID.monotonic.now()
        timer.set(to: now + 20_000 * Self.millisecond, now)
        timer.set(to: now + 2 * Self.millisecond, now)
        #expect(try timer.descriptor.waitForInput(timeout: 10_000 * Self.millisecond))
    }

    @Test func `a later time does not delay the one that is set: the timer is raised early`() throws {
        var timer = try TimerSignal()
        let now = ClockID.monotonic.now()
        timer.set(to: now + 5 * Self.millisecond, now)
        timer.set(to: now + 20_000 * Self.millisecond, now)
        #expect(try timer.descriptor.waitForInput(timeout: 10_000 * Self.millisecond))
        // Once it has passed, the later time is set.
        let later = ClockID.monotonic.now()
        timer.set(to: now + 20_000 * Self.millisecond, later)
        #expect(try !timer.descriptor.waitForInput(timeout: Self.millisecond))
    }
}
