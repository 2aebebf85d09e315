import LinuxKernel
import Synchronization

/// A signal that ends a waiting thread, or the recorder after the last event. Once raised, it stays raised.
final class StopSignal: Sendable {
    let signal: EventSignal
    private let raised = Atomic<Bool>(false)

    init() throws(SystemError) { signal = try EventSignal() }

    var isRaised: Bool { raised.load(ordering: .acquiring) }

    func raise() {
        raised.store(true, ordering: .releasing)
        signal.raise()
    }

    /// Waits for a time in nanoseconds, or until the signal is raised.
    func wait(_ nanoseconds: Int64) {
        let end = ClockID.monotonic.now() + nanoseconds
        while !isRaised {
            let left = end - ClockID.monotonic.now()
            guard left > 0, (try? signal.descriptor.waitForInput(timeout: left)) == false else { return }
        }
    }
}
