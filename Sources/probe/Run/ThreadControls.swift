import LinuxKernel

/// The rings and controls between the threads of a run.
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

    /// Room for half a second of rows: what the recorder may be held up by a disk.
    static func ringCapacity(_ intervalNanoseconds: Int64) -> Int {
        Int(min(1 << 17, max(4096, 1_000_000_000 / max(1, intervalNanoseconds))))
    }

    /// The first signal ends the measurement, and what is missing is still fetched; a second one ends everything, and
    /// so does the first while only the peer's session is still answered.
    func stop(signals count: Int) {
        sender.requestStop(count == 1 ? .finish : .abort)
        if count > 1 || reflector.stop != .no { reflector.requestStop(.abort) }
    }

    /// Something failed: every thread ends.
    func abort() {
        sender.requestStop(.abort)
        reflector.requestStop(.abort)
        recorder.raise()
    }

    /// The own session is over. The peer's is still answered, unless the user has asked for the end.
    func senderIsOver() { reflector.requestStop(sender.stop == .no ? .finish : .abort) }
}
