import LinuxKernel
import Synchronization

/// Tells a thread that waits to end, or the recorder that no more will come: raised once, and never taken down.
final class StopSignal: Sendable {
    let signal: EventSignal
    private let raised = Atomic<Bool>(false)

    init() throws(SystemError) { signal = try EventSignal() }

    var isRaised: Bool { raised.load(ordering: .acquiring) }

    func raise() {
        raised.store(true, ordering: .releasing)
        signal.raise()
    }

    /// Waits so many nanoseconds, or until it is raised.
    func wait(_ nanoseconds: Int64) {
        let end = ClockID.monotonic.now() + nanoseconds
        while !isRaised {
            let left = end - ClockID.monotonic.now()
            guard left > 0, (try? signal.descriptor.waitForInput(timeout: left)) == false else { return }
        }
    }
}
