import Synchronization

/// Passes a value that cannot be copied to the thread that will own it.
final class Handoff<Value: ~Copyable>: Sendable {
    private let box: Mutex<Value?>

    init(_ value: consuming sending Value) { box = Mutex(consume value) }

    /// Removes and returns the value; nil if it was taken before.
    func take() -> sending Value? { box.withLock { $0.take() } }

    /// Calls `body` with the value in place, for one caller at a time.
    func withValue(_ body: (inout sending Value) -> Void) {
        box.withLock { value in
            guard var local = value.take() else { return }
            body(&local)
            value = consume local
        }
    }
}
