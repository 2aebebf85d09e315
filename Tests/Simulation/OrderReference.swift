import Report
import STAMPWire

/// Duplicates and reordering from the replies that reached a sender, in the order in which they did.
struct OrderReference {
    private(set) var duplicatedForward: UInt64 = 0
    private(set) var duplicatedReverse: UInt64 = 0
    private(set) var reorderedForward: UInt64 = 0
    private(set) var reorderedReverse: UInt64 = 0
    private(set) var late: UInt64 = 0
    /// False if the reflector restarted without a sign of it: then nothing can be said of the order.
    private(set) var isMeaningful = true

    init(_ rows: SenderRows, _ sender: SenderApp, _ world: World) {
        let truth = world.truth
        let isStateless = world.scenario.reflector == .stateless
        var lives = ReflectorLives()
        // The newest number that has arrived, and the probes of all replies that are known, in one life.
        var newest: UInt32?
        var known: [UInt32: UInt32] = [:]
        var seen = Set<Int>()
        var answered = Set<UInt32>()
        for delivery in truth.deliveries where delivery.sender == sender.index && delivery.isKept {
            let reply = truth.replies[delivery.reply]
            let probe = truth.probes[sender.index][Int(reply.probe)]
            let hasRestarted = lives.take(reply, isPaired: delivery.telemetry.isPaired)
            // Without an instance, a reply of a new life with a number not far below is like a reordered one.
            if lives.isMisled {
                isMeaningful = false
                return
            }
            if hasRestarted {
                newest = nil
                known.removeAll()
            }
            let isCopy = !seen.insert(delivery.reply).inserted
            defer {
                known[reply.number] = reply.probe
                newest = max(newest ?? 0, reply.number)
                for report in [delivery.telemetry.sent0, delivery.telemetry.sent1] {
                    if let report, report.sequence <= newest ?? 0 { known[report.sequence] = report.answered }
                }
                if let previous = delivery.telemetry.previous, reply.number > 0 { known[reply.number - 1] = previous }
            }
            guard probe.isMeasured, Self.wasWaitedFor(delivery, reply, rows, sender) else { continue }
            if !answered.insert(reply.probe).inserted {
                if isCopy || isStateless { duplicatedReverse += 1 } else { duplicatedForward += 1 }
                continue
            }
            if delivery.at - probe.sentAt > world.scenario.timeout { late += 1 }
            if let newest, newest > reply.number { reorderedReverse += 1 }
            if Self.hasLater(known, reply) { reorderedForward += 1 }
        }
    }

    /// Returns whether the reflector is known to have received a later probe first. Replies count as far back as no 64
    /// in a row are unknown.
    private static func hasLater(_ known: [UInt32: UInt32], _ reply: Truth.Reply) -> Bool {
        var unknown = 0
        var number = reply.number
        while number > 0, unknown < 64 {
            number -= 1
            guard let probe = known[number] else {
                unknown += 1
                continue
            }
            if probe > reply.probe { return true }
            unknown = 0
        }
        return false
    }

    /// Returns whether the probe's rows were not yet written as lost when a reply arrived.
    private static func wasWaitedFor(
        _ delivery: Truth.Delivery, _ reply: Truth.Reply, _ rows: SenderRows, _ sender: SenderApp
    ) -> Bool {
        let index = rows.reply[Int(reply.probe)]
        guard index >= 0 else { return true }
        let entry = sender.log.rows[index]
        let isLost = [.lost, .unknown, .absent].contains(entry.row.status)
        return !isLost || delivery.step < entry.step
    }
}
