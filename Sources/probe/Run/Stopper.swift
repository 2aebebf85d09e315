import Synchronization
import UnixSignals

/// Turns SIGINT, SIGTERM and SIGHUP into an orderly end, from before the setup until everything is released and
/// restored.
final class Stopper: Sendable {
    private struct State {
        var count = 0
        var handler: (@Sendable (_ count: Int) -> Void)?
    }

    private let state = Mutex(State())

    /// Runs `body` while these signals are caught.
    static func run(_ body: (Stopper) async throws -> Void) async throws {
        let stopper = Stopper()
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let listening = Task {
            for await _ in signals { stopper.raise() }
        }
        defer { listening.cancel() }
        try await body(stopper)
    }

    /// Sets the handler, which is called for each signal with the number of signals so far. If there was one before, it
    /// is called at once.
    func attach(_ handler: @escaping @Sendable (_ count: Int) -> Void) {
        let count = state.withLock { state in
            state.handler = handler
            return state.count
        }
        if count > 0 { handler(count) }
    }

    private func raise() {
        let (handler, count) = state.withLock { state in
            state.count += 1
            return (state.handler, state.count)
        }
        handler?(count)
    }
}
