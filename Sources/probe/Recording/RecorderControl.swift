import Kernel
import Synchronization

/// Tells the recorder that no more events will come.
final class RecorderControl: Sendable {
    let signal: EventSignal
    private let isEnding = Atomic<Bool>(false)

    init() throws(SystemError) { signal = try EventSignal() }

    var mustEnd: Bool { isEnding.load(ordering: .acquiring) }

    func end() {
        isEnding.store(true, ordering: .releasing)
        signal.raise()
    }
}
