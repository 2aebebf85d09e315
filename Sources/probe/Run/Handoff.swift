import Synchronization

/// Carries a value that can't be copied into the thread that will own it.
final class Handoff<Value: ~Copyable>: Sendable {
    private let box: Mutex<Value?>

    init(_ value: consuming sending Value) { box = Mutex(consume value) }

    /// The value, once.
    func take() -> sending Value? { box.withLock { $0.take() } }

    /// Changes the value in its place, one caller at a time.
    func withValue(_ body: (inout sending Value) -> Void) {
        box.withLock { value in
            guard var local = value.take() else { return }
            body(&local)
            value = consume local
        }
    }
}
