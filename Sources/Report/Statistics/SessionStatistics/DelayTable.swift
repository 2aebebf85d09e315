/// The last delays by sequence number, in a table of fixed size: pairs the two directions of a probe, and neighbours
/// of one direction, whatever the order in which their rows come.
struct DelayTable: Sendable {
    /// A delay, the points that it is measured between and its clock epoch. Delays of different epochs are never combined.
    struct Delay {
        var value: Int64
        var basis: DelayBasis
        var epoch: UInt16
    }

    private struct Entry {
        var sequence: UInt32 = 0
        var epoch: UInt16 = 0
        /// nil: there is no delay.
        var forwardBasis: DelayBasis?
        var reverseBasis: DelayBasis?
        var forward: Int64 = 0
        var reverse: Int64 = 0
    }

    private var entries: [Entry]
    private let mask: UInt32

    /// A table for `capacity` sequence numbers, rounded up to a power of two.
    init(capacity: Int) {
        var size = 1
        while size < min(max(capacity, 1), 1 << 24) { size <<= 1 }
        entries = Array(repeating: Entry(), count: size)
        mask = UInt32(size - 1)
    }

    /// Keeps a delay; false if the table has one already for this sequence number and direction.
    ///
    /// A slot that another sequence number, or another clock epoch, holds is taken over: the run has moved on.
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

    /// The delay that is kept for a sequence number and direction.
    @inline(__always)
    func delay(sequence: UInt32, packet: PacketKind) -> Delay? {
        let entry = entries[Int(sequence & mask)]
        guard entry.sequence == sequence, let basis = packet == .probe ? entry.forwardBasis : entry.reverseBasis
        else { return nil }
        return Delay(value: packet == .probe ? entry.forward : entry.reverse, basis: basis, epoch: entry.epoch)
    }
}
