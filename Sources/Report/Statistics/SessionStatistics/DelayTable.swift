/// The last delays by sequence number, in a table of fixed size: pairs the two directions of a probe, and neighbours
/// of one direction, whatever the order in which their rows come.
struct DelayTable: Sendable {
    /// A delay and whether it is between hardware timestamps. Software and app timestamps are both CLOCK_REALTIME and may be
    /// combined with each other; hardware delays only with hardware delays, and none with those of another clock epoch.
    struct Delay {
        var value: Int64
        var hardware: Bool
        var epoch: UInt16
    }

    private struct Entry {
        var sequence: UInt32 = 0
        var flags: UInt8 = 0
        var epoch: UInt16 = 0
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
            entries[index].flags = 0
        }
        let shift: UInt8 = packet == .probe ? 0 : 2
        guard entries[index].flags & (1 << shift) == 0 else { return false }
        entries[index].flags |= (delay.hardware ? 3 : 1) << shift
        if packet == .probe {
            entries[index].forward = delay.value
        } else {
            entries[index].reverse = delay.value
        }
        return true
    }

    /// The delay that is kept for a sequence number and direction.
    @inline(__always)
    func delay(sequence: UInt32, packet: PacketKind) -> Delay? {
        let entry = entries[Int(sequence & mask)]
        let flags = packet == .probe ? entry.flags & 3 : entry.flags >> 2
        guard entry.sequence == sequence, flags & 1 != 0 else { return nil }
        return Delay(
            value: packet == .probe ? entry.forward : entry.reverse, hardware: flags & 2 != 0, epoch: entry.epoch)
    }
}
