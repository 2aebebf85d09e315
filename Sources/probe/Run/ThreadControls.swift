import LinuxKernel

/// The rings and control states between the threads of a run.
final class ThreadControls: Sendable {
    let sender: SessionControl
    let reflector: SessionControl
    let recorder: StopSignal
    let senderRing: SPSCRing<SessionEvent>
    let reflectorRing: SPSCRing<SessionEvent>

    init(nextHop: UInt64, intervalNanoseconds: Int64) throws(ProbeError) {
        let estimate = Housekeeping.errorEstimate()
        do throws(SystemError) {
            sender = try SessionControl(nextHop: nextHop, errorEstimate: estimate)
            reflector = try SessionControl(nextHop: 0, errorEstimate: estimate)
            recorder = try StopSignal()
        } catch {
            throw .system(error)
        }
        senderRing = SPSCRing(capacity: Self.ringCapacity(intervalNanoseconds))
        reflectorRing = SPSCRing(capacity: Self.ringCapacity(intervalNanoseconds))
    }

    /// The ring's capacity: rows of half a second, so that a slow disk may delay the recorder that long.
    static func ringCapacity(_ intervalNanoseconds: Int64) -> Int {
        Int(min(1 << 17, max(4096, 1_000_000_000 / max(1, intervalNanoseconds))))
    }

    /// Handles a signal. The first one ends the measurement, and outstanding replies and timestamps are still received.
    /// The second one ends everything, as does the first if only the peer's session is still answered.
    func stop(signals count: Int) {
        sender.requestStop(count == 1 ? .finish : .abort)
        if count > 1 || reflector.stop != .no { reflector.requestStop(.abort) }
    }

    /// Ends every thread after a failure.
    func abort() {
        sender.requestStop(.abort)
        reflector.requestStop(.abort)
        recorder.raise()
    }

    /// Handles the end of the local session: the peer's is still answered, unless the user has requested the end.
    func senderIsOver() { reflector.requestStop(sender.stop == .no ? .finish : .abort) }
}
