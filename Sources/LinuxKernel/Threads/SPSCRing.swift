import Synchronization

/// A bounded queue between one producer thread and one consumer thread, without locks and without allocation after
/// `init`.
///
/// Elements are plain values. `push` never waits: if the consumer is behind, it returns false and the producer counts
/// the loss.
public final class SPSCRing<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    // @unchecked: the slots between `head` and `tail` belong to the consumer, the others to the producer. Release
    // stores and acquire loads of the two indices transfer ownership.
    private let slots: UnsafeMutablePointer<Element>
    private let mask: Int
    private let head = Padded()
    private let tail = Padded()
    /// The producer's cached copy of `head`: a push reads the consumer's cache line only if the ring looks full.
    private var knownHead = 0

    /// An index on its own cache line.
    private struct Padded: ~Copyable {
        let value = Atomic<Int>(0)
        private let padding: (Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0)
    }

    /// Creates a ring for `capacity` elements, rounded up to a power of two.
    public init(capacity: Int) {
        var size = 2
        while size < capacity { size <<= 1 }
        mask = size - 1
        slots = .allocate(capacity: size)
    }

    deinit { slots.deallocate() }

    /// Appends an element; returns `false` if the ring is full. Producer only.
    public func push(_ element: Element) -> Bool {
        let end = tail.value.load(ordering: .relaxed)
        if end &- knownHead > mask {
            knownHead = head.value.load(ordering: .acquiring)
            if end &- knownHead > mask { return false }
        }
        (slots + (end & mask)).initialize(to: element)
        tail.value.store(end &+ 1, ordering: .releasing)
        return true
    }

    /// Removes and returns the oldest element; `nil` if the ring is empty. Consumer only.
    public func pop() -> Element? {
        let start = head.value.load(ordering: .relaxed)
        guard start != tail.value.load(ordering: .acquiring) else { return nil }
        let element = slots[start & mask]
        head.value.store(start &+ 1, ordering: .releasing)
        return element
    }
}
