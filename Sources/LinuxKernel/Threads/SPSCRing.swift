import Synchronization

/// A bounded queue between one producer thread and one consumer thread, without locks and without allocation after
/// `init`.
///
/// Elements are plain values. `push` never waits: if the consumer is behind, it returns false and the producer counts
/// the loss.
public final class SPSCRing<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    // @unchecked: the slots between `head` and `tail` belong to the consumer, the others to the producer. Release
    // stores and acquire loads of the two indices transfer ownership.
    //
    // Inlinable, since code that does not know the element's type would copy it once more at each end.
    @usableFromInline let slots: UnsafeMutablePointer<Element>
    @usableFromInline let mask: Int
    @usableFromInline let head = Padded()
    @usableFromInline let tail = Padded()
    /// The producer's cached copy of `head`: a push reads the consumer's cache line only if the ring looks full.
    @usableFromInline var knownHead = 0

    /// An index on its own cache line.
    @usableFromInline struct Padded: ~Copyable {
        @usableFromInline let value = Atomic<Int>(0)
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
    @inlinable
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
    @inlinable
    public func pop() -> Element? {
        var element: Element?
        _ = pop { element = $0 }
        return element
    }

    /// Passes the oldest element to `body` in its slot, and then removes it; returns `false` if the ring is empty.
    /// Consumer only.
    @inlinable
    public func pop(_ body: (Element) -> Void) -> Bool {
        let start = head.value.load(ordering: .relaxed)
        guard start != tail.value.load(ordering: .acquiring) else { return false }
        body(slots[start & mask])
        head.value.store(start &+ 1, ordering: .releasing)
        return true
    }
}
