import Synchronization

/// A map from the kernel's count to the caller's id for each send that requested a timestamp, for kernels that only
/// count (before Linux 6.13).
///
/// Threads that send add ids one at a time; the thread that reads timestamps looks them up. The kernel's queue orders
/// the two.
@usableFromInline
final class IdentifierMap: @unchecked Sendable {
    // @unchecked: the slots are atomic; `next` belongs to the thread that holds `turn`.
    private static let capacity: UInt32 = 1 << 16
    private let slots: UnsafeMutablePointer<Atomic<UInt32>>
    private var next: UInt32 = 0
    /// Held from before an id is added until the kernel has counted its send.
    let turn = Mutex<Void>(())

    init() {
        slots = .allocate(capacity: Int(Self.capacity))
        for index in 0..<Int(Self.capacity) { (slots + index).initialize(to: Atomic(0)) }
    }

    deinit { slots.deallocate() }

    /// Adds the id of a send that the kernel is about to count.
    func add(id: UInt32) {
        slots[Int(next % Self.capacity)].store(id, ordering: .releasing)
        next &+= 1
    }

    /// Removes the last id, because the kernel did not count its send.
    func withdraw() { next &-= 1 }

    @usableFromInline
    func id(ofKey key: UInt32) -> UInt32 { slots[Int(key % Self.capacity)].load(ordering: .acquiring) }
}
