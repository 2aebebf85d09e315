import Synchronization

/// Ids of sends on kernels that only count (before Linux 6.13): the kernel's count for each send that asked for a
/// timestamp, and the caller's id for it.
///
/// Threads that send add, each in its turn, the thread that reads timestamps looks up; the kernel's queue lies between the two.
final class IdentifierMap: @unchecked Sendable {
    // @unchecked: the slots are atomic; `next` belongs to the thread whose turn it is.
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

    /// The kernel is about to count one send of this id.
    func add(id: UInt32) {
        slots[Int(next % Self.capacity)].store(id, ordering: .releasing)
        next &+= 1
    }

    /// The last send was not counted after all.
    func withdraw() { next &-= 1 }

    func id(ofKey key: UInt32) -> UInt32 { slots[Int(key % Self.capacity)].load(ordering: .acquiring) }
}
