/// The reflector's own count, as the replies show it: which probes it answered, and in which order they reached it.
struct ReplyOrder {
    private struct Entry {
        var replySequence: UInt32 = 0
        var probe: UInt32 = 0
        /// The newest probe among all replies up to this one, in the reflector's order.
        var newestProbe: UInt32 = 0
        var isKnown = false
        /// The reply itself came; without it, later ones told of it.
        var hasArrived = false
    }

    private var entries: [Entry]
    private let mask: UInt32
    private var newestReply: UInt32?
    private var newestProbe: UInt32?
    /// Whether the reflector is known to count by itself, so that its gaps mean something.
    private(set) var isStateful = false

    /// How far apart packets may be that overtake one another.
    private static let window: UInt32 = 64

    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        entries = Array(repeating: Entry(), count: capacity)
        mask = UInt32(capacity - 1)
    }

    mutating func markStateful() { isStateful = true }

    /// Forgets the order: the reflector has started anew.
    mutating func restart() {
        for index in entries.indices { entries[index].isKnown = false }
        newestReply = nil
        newestProbe = nil
    }

    /// What a reply's number tells.
    struct Finding {
        /// This very reply has come before.
        var isKnown = false
        /// A later reply was seen first.
        var replyReordered = false
        /// The reflector got a later probe first.
        var probeReordered = false
        /// The reflector counts from the start again.
        var hasRestarted = false
    }

    /// Enters a reply that arrived.
    mutating func record(replySequence: UInt32, probe: UInt32) -> Finding {
        if replySequence != probe { isStateful = true }
        var finding = Finding()
        // A new probe with a number from far back: no network reorders as far as that.
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
            replySequence: replySequence, probe: probe, newestProbe: newestProbe, isKnown: true,
            hasArrived: true)
        if isNewest { newestReply = replySequence }
        if self.newestProbe.map({ isAfter(probe, $0) }) ?? true { self.newestProbe = probe }
        return finding
    }

    /// Enters a reply that the reflector tells to have sent, whether or not it arrived.
    mutating func recordSent(replySequence: UInt32, probe: UInt32) {
        guard !isKnown(replySequence), let newest = newestReply, !isAfter(replySequence, newest) else { return }
        let before = nearestKnown(before: replySequence)?.newestProbe ?? probe
        entries[Int(replySequence & mask)] = Entry(
            replySequence: replySequence, probe: probe, newestProbe: isAfter(before, probe) ? before : probe,
            isKnown: true)
    }

    func probe(ofReply replySequence: UInt32) -> UInt32? {
        let entry = entries[Int(replySequence & mask)]
        return entry.isKnown && entry.replySequence == replySequence ? entry.probe : nil
    }

    /// How many replies between two known ones nothing has been heard of; `nil` where that can't be told.
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

    /// Whether, soon after a reply, more replies are unheard of than probes are without one: then one of them may be to
    /// a probe that was overtaken, from further back.
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

    /// Looked for within a short distance: reordering is local.
    private func nearestKnown(before replySequence: UInt32) -> Entry? {
        for distance in 1...Self.window {
            let candidate = replySequence &- distance
            if isKnown(candidate) { return entries[Int(candidate & mask)] }
        }
        return nil
    }

    /// Serial-number order: RFC 1982.
    private func isAfter(_ left: UInt32, _ right: UInt32) -> Bool { Int32(bitPattern: left &- right) > 0 }
}
