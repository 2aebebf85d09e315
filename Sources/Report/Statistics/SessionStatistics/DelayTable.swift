/// The latest delays by sequence number, in a table of fixed size. It pairs the two directions of a probe, and
/// consecutive packets of one direction, in any order of their rows.
struct DelayTable: Sendable {
    /// A delay with its basis and its clock epoch. Delays of different clock epochs are never combined.
    struct Delay {
        var value: Int64
        var basis: DelayBasis
        var epoch: UInt16
    }

    private struct Entry {
        var sequence: UInt32 = 0
        var epoch: UInt16 = 0
        /// nil if there is no delay.
        var forwardBasis: DelayBasis?
        var reverseBasis: DelayBasis?
        var forward: Int64 = 0
        var reverse: Int64 = 0
    }

    private var entries: [Entry]
    private let mask: UInt32

    /// Creates a table for `capacity` sequence numbers, rounded up to a power of two.
    init(capacity: Int) {
        var size = 1
        while size < min(max(capacity, 1), 1 << 24) { size <<= 1 }
        entries = Array(repeating: Entry(), count: size)
        mask = UInt32(size - 1)
    }

    /// Inserts a delay; returns false if the table already has one for this sequence number and direction.
    ///
    /// It replaces a slot of another sequence number or another clock epoch.
    @inline(__always)
    mutating func insert(_ delay: Delay, sequence: UInt32, packet: PacketKind) -> Bool {
        let index = Int(sequence & mask)
        if entries[index].sequence != sequence || entries[index].epoch != delay.epoch {
            entries[index].sequence = sequence
            entries[index].epoch = delay.epoch
            entries[index].forwardBasis = nil
            entries[index].reverseBasis = nil
        }
        if packet == .probe {
            guard entries[index].forwardBasis == nil else { return false }
            entries[index].forwardBasis = delay.basis
            entries[index].forward = delay.value
        } else {
            guard entries[index].reverseBasis == nil else { return false }
            entries[index].reverseBasis = delay.basis
            entries[index].reverse = delay.value
        }
        return true
    }

    /// Returns the delay of a sequence number and direction; nil if there is none.
    @inline(__always)
    func delay(sequence: UInt32, packet: PacketKind) -> Delay? {
        let entry = entries[Int(sequence & mask)]
        guard entry.sequence == sequence, let basis = packet == .probe ? entry.forwardBasis : entry.reverseBasis
        else { return nil }
        return Delay(value: packet == .probe ? entry.forward : entry.reverse, basis: basis, epoch: entry.epoch)
    }
}
