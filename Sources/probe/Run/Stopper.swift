import UnixSignals

/// Turns SIGINT, SIGTERM and SIGHUP into an orderly end: the first one finishes, a second one ends at once.
enum Stopper {
    /// Runs `body` and meanwhile calls `stop` for each signal, with how many there have been.
    static func run<Value: Sendable>(
        _ stop: @escaping @Sendable (_ count: Int) -> Void, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let listening = Task {
            var count = 0
            for await _ in signals {
                count += 1
                stop(count)
            }
        }
        defer { listening.cancel() }
        return try await body()
    }
}
