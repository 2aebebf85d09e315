/// The reflector's reply sequence numbers, which show the probes that it answered and the order in which they arrived.
struct ReplyOrder {
    /// One reply, in twelve bytes: a session keeps one for each probe in flight.
    private struct Entry {
        var replySequence: UInt32 = 0
        var probe: UInt32 = 0
        private var state: UInt32 = 0

        init() {}

        /// - Parameters:
        ///   - newestProbe: the newest probe among all replies up to this one, in the reflector's order.
        ///   - hasArrived: true if the reply was received, false if it is only known from a later one.
        init(replySequence: UInt32, probe: UInt32, newestProbe: UInt32, hasArrived: Bool) {
            self.replySequence = replySequence
            self.probe = probe
            let distance = min(newestProbe &- probe, Self.largestDistance)
            state = Self.known | (hasArrived ? Self.arrived : 0) | distance
        }

        var newestProbe: UInt32 { probe &+ (state & Self.largestDistance) }
        var isKnown: Bool { state & Self.known != 0 }
        var hasArrived: Bool { state & Self.arrived != 0 }

        mutating func forget() { state = 0 }

        private static let known: UInt32 = 1 << 31
        private static let arrived: UInt32 = 1 << 30
        private static let largestDistance: UInt32 = 1 << 30 - 1
    }

    private var entries: [Entry]
    private let mask: UInt32
    private var newestReply: UInt32?
    private var newestProbe: UInt32?
    /// True if the reflector is known to count its replies (stateful, RFC 8762), so that gaps in its count are losses.
    private(set) var isStateful = false

    /// The largest distance over which reordering is detected, in sequence numbers.
    private static let window: UInt32 = 64

    /// - Parameter capacity: the least number of replies, which is rounded up to a power of two.
    init(capacity: Int) {
        var size = Int(Self.window)
        while size < capacity { size <<= 1 }
        entries = Array(repeating: Entry(), count: size)
        mask = UInt32(size - 1)
    }

    /// The number of replies that it keeps, and the bytes that each takes.
    var capacity: Int { entries.count }
    static var entryBytes: Int { MemoryLayout<Entry>.stride }

    mutating func markStateful() { isStateful = true }

    /// Discards the order, because the reflector has restarted.
    mutating func restart() {
        for index in entries.indices { entries[index].forget() }
        newestReply = nil
        newestProbe = nil
    }

    /// The facts that a reply's sequence number shows.
    struct Finding {
        /// The same reply was received before.
        var isKnown = false
        /// A later reply was received first.
        var replyReordered = false
        /// The reflector received a later probe first.
        var probeReordered = false
        /// The reflector has restarted its count.
        var hasRestarted = false
    }

    /// Records a received reply.
    mutating func record(replySequence: UInt32, probe: UInt32) -> Finding {
        if replySequence != probe { isStateful = true }
        var finding = Finding()
        // A reply to a new probe, with a much older number: no network reorders that far.
        if let newest = newestReply, let newestProbe, isAfter(probe, newestProbe),
            isAfter(newest &- Self.window, replySequence)
        {
            restart()
            finding.hasRestarted = true
        }
        if isKnown(replySequence), entries[Int(replySequence & mask)].hasArrived {
            finding.isKnown = true
            return finding
        }
        let isNewest = newestReply.map { isAfter(replySequence, $0) } ?? true
        finding.replyReordered = !isNewest
        var newestProbe = probe
        if let before = nearestKnown(before: replySequence) {
            finding.probeReordered = isAfter(before.newestProbe, probe)
            if finding.probeReordered { newestProbe = before.newestProbe }
        }
        entries[Int(replySequence & mask)] = Entry(
            replySequence: replySequence, probe: probe, newestProbe: newestProbe,
            hasArrived: true)
        if isNewest { newestReply = replySequence } else { update(after: replySequence, newestProbe: newestProbe) }
        if self.newestProbe.map({ isAfter(probe, $0) }) ?? true { self.newestProbe = probe }
        return finding
    }

    /// Records a reply that the reflector reports as sent, whether or not it was received.
    mutating func recordSent(replySequence: UInt32, probe: UInt32) {
        guard !isKnown(replySequence), let newest = newestReply, !isAfter(replySequence, newest) else { return }
        let before = nearestKnown(before: replySequence)?.newestProbe ?? probe
        let newestProbe = isAfter(before, probe) ? before : probe
        entries[Int(replySequence & mask)] = Entry(
            replySequence: replySequence, probe: probe, newestProbe: newestProbe, hasArrived: false)
        update(after: replySequence, newestProbe: newestProbe)
    }

    /// Updates the newest probe of the known replies after one that was recorded later than they.
    private mutating func update(after replySequence: UInt32, newestProbe: UInt32) {
        for distance in 1...Self.window {
            let place = Int((replySequence &+ distance) & mask)
            guard isKnown(replySequence &+ distance) else { continue }
            guard isAfter(newestProbe, entries[place].newestProbe) else { return }
            entries[place] = Entry(
                replySequence: entries[place].replySequence, probe: entries[place].probe, newestProbe: newestProbe,
                hasArrived: entries[place].hasArrived)
        }
    }

    func probe(ofReply replySequence: UInt32) -> UInt32? {
        let entry = entries[Int(replySequence & mask)]
        return entry.isKnown && entry.replySequence == replySequence ? entry.probe : nil
    }

    /// The number of unknown replies between two known ones; nil if it cannot be determined.
    func unknownReplies(between first: UInt32, and last: UInt32) -> Int? {
        let distance = last &- first
        guard isAfter(last, first), distance <= mask else { return nil }
        var unknown = 0
        var next = first &+ 1
        while next != last {
            if !isKnown(next) { unknown += 1 }
            next &+= 1
        }
        return unknown
    }

    /// Returns true if, soon after a reply, more replies are unknown than probes are unanswered. One of them may then
    /// answer a reordered probe from further back.
    func hasUnexplainedReplies(after replySequence: UInt32) -> Bool {
        guard let newest = newestReply, var before = probe(ofReply: replySequence) else { return false }
        var unknown: Int64 = 0
        for distance in 1...Self.window {
            let next = replySequence &+ distance
            if isAfter(next, newest) { return false }
            guard let probe = probe(ofReply: next) else {
                unknown += 1
                continue
            }
            let missing = Int64(Int32(bitPattern: probe &- before)) - 1
            if unknown > max(0, missing) { return true }
            unknown = 0
            before = probe
        }
        return false
    }

    private func isKnown(_ replySequence: UInt32) -> Bool {
        let entry = entries[Int(replySequence & mask)]
        return entry.isKnown && entry.replySequence == replySequence
    }

    /// The nearest known reply before one, within the window.
    private func nearestKnown(before replySequence: UInt32) -> Entry? {
        for distance in 1...Self.window {
            let candidate = replySequence &- distance
            if isKnown(candidate) { return entries[Int(candidate & mask)] }
        }
        return nil
    }

    /// Compares serial numbers: RFC 1982.
    private func isAfter(_ left: UInt32, _ right: UInt32) -> Bool { Int32(bitPattern: left &- right) > 0 }
}
