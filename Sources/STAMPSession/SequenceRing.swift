/// The slots of the newest sequence numbers. A number that is older than the capacity has lost its slot to a newer one.
@usableFromInline
struct SequenceRing<Slot: Sendable>: Sendable {
    private var slots: [Slot]
    /// The place of ``next``.
    private var place = 0
    /// The number of slots in use.
    private var count = 0
    /// The next sequence number.
    @usableFromInline private(set) var next: UInt32

    /// - Parameters:
    ///   - capacity: at least 1.
    ///   - empty: the content of an unused slot.
    init(capacity: Int, empty: Slot, next: UInt32 = 0) {
        slots = Array(repeating: empty, count: max(1, capacity))
        self.next = next
    }

    var capacity: Int { slots.count }

    /// Puts the slot of ``next`` into the ring, in place of the oldest one.
    mutating func append(_ slot: Slot) {
        slots[place] = slot
        place = place + 1 == slots.count ? 0 : place + 1
        if count < slots.count { count += 1 }
        next &+= 1
    }

    /// The place of a sequence number; nil if it has no slot.
    @inline(__always)
    func index(of sequence: UInt32) -> Int? {
        let age = Int(next &- sequence)
        guard age > 0, age <= count else { return nil }
        let index = place - age
        return index < 0 ? index + slots.count : index
    }

    /// The slot at a place that ``index(of:)`` returned.
    subscript(index: Int) -> Slot {
        @inline(__always) get { slots[index] }
        @inline(__always) _modify { yield &slots[index] }
    }

    /// Enlarges the ring. The slots keep their sequence numbers, and change their places.
    mutating func grow(to capacity: Int, empty: Slot) {
        guard capacity > slots.count else { return }
        var larger = Array(repeating: empty, count: capacity)
        for age in 0..<count {
            let index = place - count + age
            larger[age] = slots[index < 0 ? index + slots.count : index]
        }
        slots = larger
        place = count == capacity ? 0 : count
    }

    /// Releases all slots but one, and continues to count.
    mutating func removeAll() {
        slots = Array(slots.prefix(1))
        (place, count) = (0, 0)
    }
}
