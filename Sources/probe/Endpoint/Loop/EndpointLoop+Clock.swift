import HostClocks
import LinuxKernel
import STAMPSession
import STAMPWire

extension EndpointLoop {
    /// The present. Inlined, since the compiler would pass a copy of the loop.
    @inline(__always)
    func time() -> HostTime {
        HostTime(
            monotonic: ClockID.monotonic.now(), realtime: ClockID.realtime.now(),
            errorEstimate: ErrorEstimate(rawValue: control.errorEstimate), clockSteps: clock.steps)
    }

    /// The present, after a check whether this host's clock was set: timestamps that were read before belong to the clock
    /// epoch before the step.
    mutating func checkedTime() -> HostTime {
        guard let step = clock.read() else { return time() }
        phc.forget()
        // The kernel's error bound no longer holds. The next reading of the clock's quality shows that too.
        control.errorEstimate = Housekeeping.unknownError
        let now = time()
        for place in places { place.sender.recordLocalStep(amount: step.amount, error: step.error, at: now) }
        reflector?.recordLocalStep(amount: step.amount, error: step.error, at: now)
        return now
    }
}
