import Report

/// An outage as the rows show it: at least a quarter of a second, and three probes in a row, without an answer.
struct OutageReference {
    var start: Int64
    var firstSequence: UInt32
    var began: Int64
    var duration: Int64 = 0
    var lost: [ProbeOutcome] = []

    static func outages(_ rows: SenderRows, _ sender: SenderApp, _ world: World) -> [OutageReference] {
        var outages: [OutageReference] = []
        var current: OutageReference?
        var newest: Int64 = 0
        func close(at time: Int64) {
            guard var outage = current else { return }
            outage.duration = time - outage.began
            if outage.duration >= 250_000_000, outage.lost.count >= 3 { outages.append(outage) }
            current = nil
        }
        for (sequence, probe) in world.truth.probes[sender.index].enumerated() where probe.isMeasured {
            guard rows.probe[sequence] >= 0, rows.reply[sequence] >= 0 else { continue }
            let status = sender.log.rows[rows.probe[sequence]].row.status
            let reply = sender.log.rows[rows.reply[sequence]].row.status
            newest = probe.sentAt
            let outcome: ProbeOutcome
            switch (status, reply) {
            case (.notSent, _): outcome = .notSent(probe.refusal ?? 0)
            case (.lost, _): outcome = .lostForward
            case (.unknown, _): outcome = .lostUnknown
            case (_, .lost): outcome = .lostReverse
            default:
                close(at: probe.sentAt)
                continue
            }
            if current == nil {
                current = OutageReference(
                    start: probe.sent.app, firstSequence: UInt32(sequence), began: probe.sentAt)
            }
            current?.lost.append(outcome)
        }
        close(at: newest)
        return outages
    }

    func equals(_ outage: Outage) -> Bool {
        var errno: Int32?
        for case .notSent(let code) in lost where errno == nil { errno = code }
        let refused = lost.count { if case .notSent = $0 { true } else { false } }
        return outage.start == start && outage.firstSequence == firstSequence && outage.duration == duration
            && outage.lostForward == lost.count { $0 == .lostForward }
            && outage.lostReverse == lost.count { $0 == .lostReverse }
            && outage.lostUnknown == lost.count { $0 == .lostUnknown } && outage.notSent == refused
            && outage.sendError == errno
    }
}
