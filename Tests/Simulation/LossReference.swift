import Report
import STAMPWire

/// The rule for the direction of a loss, computed from all replies that had reached the sender when the row was written.
///
/// docs/architecture.md: "Between two answered probes the reflector's sequence numbers show how many replies were sent
/// that never arrived. If none, the unanswered probes in between were lost forward; if as many as there are such probes,
/// all their replies were lost in reverse. Otherwise the telemetry of later replies decides, or the direction stays
/// unknown." Telemetry names a reply's probe, which then counts as answered; so does the probe that the reflector
/// received before the answered one, whose reply has the number before.
struct LossReference {
    /// A direction, or the reason why none is known.
    enum Direction: String, CaseIterable {
        case forward, reverse
        /// The reflector copies the probes' numbers, as far as its replies have shown.
        case notNumbered
        /// No probe before, or none after the lost one was answered.
        case noEarlierReply, noLaterReply
        /// The reflector has restarted, which ends the order of its earlier numbers.
        case restart
        /// Some packets were lost in each direction.
        case bothDirections
        /// The reflector's count does not grow between the answered probes, or later replies may answer the lost probe,
        /// because probes were reordered.
        case reordered
        /// The answered probe before has no slot any more.
        case noLongerKept

        var isKnown: Bool { self == .forward || self == .reverse }
    }

    private let truth: Truth
    private let sender: Int
    /// The number of slots.
    private let capacity: Int
    private let isPaired: Bool
    /// For each probe the step in which its rows were written as lost; .max: they were not. A later reply shows that it
    /// was answered, but its gap is one with those around it.
    private let lostSteps: [Int]
    private var next = 0
    /// The probe of each reply that is known, by the reflector's life and number, and the numbers that the sender has.
    private var known: [UInt64: Int] = [:]
    /// For each probe its first reply's life and number; .max: none has arrived.
    private var answers: [UInt64]
    private var hasReached: [Bool]
    private var isNumbered = false
    private var newest: UInt64 = 0
    private var lives = ReflectorLives()

    init(_ truth: Truth, _ sender: Int, capacity: Int, isPaired: Bool, lostSteps: [Int]) {
        self.lostSteps = lostSteps
        self.truth = truth
        self.sender = sender
        self.capacity = capacity
        self.isPaired = isPaired
        answers = Array(repeating: .max, count: truth.probes[sender].count)
        hasReached = Array(repeating: false, count: truth.probes[sender].count)
    }

    /// Takes the replies before a step.
    mutating func advance(to step: Int) {
        while next < truth.deliveries.count, truth.deliveries[next].step < step {
            let delivery = truth.deliveries[next]
            next += 1
            guard delivery.sender == sender, delivery.isKept else { continue }
            let reply = truth.replies[delivery.reply]
            if lives.take(reply, isPaired: delivery.telemetry.isPaired) { known.removeAll(keepingCapacity: true) }
            let life = lives.current << 32
            let key = life | UInt64(reply.number)
            if delivery.telemetry.isPaired || reply.number != reply.probe { isNumbered = true }
            known[key] = Int(reply.probe)
            newest = max(newest, key)
            hasReached[Int(reply.probe)] = true
            if answers[Int(reply.probe)] == .max, delivery.step < lostSteps[Int(reply.probe)] {
                answers[Int(reply.probe)] = key
            }
            for report in [delivery.telemetry.sent0, delivery.telemetry.sent1] {
                guard let report else { continue }
                known[life | UInt64(report.sequence)] = Int(report.answered)
                hasReached[Int(report.answered)] = true
            }
            if let previous = delivery.telemetry.previous, reply.number > 0 {
                known[key - 1] = Int(previous)
                hasReached[Int(previous)] = true
            }
        }
    }

    /// True if the reflector has restarted without a sign of it.
    var isMisled: Bool { lives.isMisled }

    /// The direction of the loss of a probe.
    ///
    /// - Parameter probes: the number of probes that had been written.
    func direction(of probe: Int, probes: Int) -> Direction {
        if hasReached[probe] { return .reverse }
        guard isNumbered else { return .notNumbered }
        guard let after = (probe + 1..<probes).first(where: { answers[$0] != .max }) else { return .noLaterReply }
        guard let before = (0..<probe).last(where: { answers[$0] != .max }) else { return .noEarlierReply }
        let (first, last) = (answers[before], answers[after])
        guard first >> 32 == lives.current, last >> 32 == lives.current else { return .restart }
        guard last > first else { return .reordered }
        let unknown = (first + 1..<last).count { known[$0] == nil }
        let missing = (before + 1..<after).count {
            !hasReached[$0] && truth.probes[sender][$0].refusal == nil
        }
        if unknown == 0 { return isPaired || !hasSurplus(after: last) ? .forward : .reordered }
        if probes - before > capacity { return .noLongerKept }
        return unknown == missing ? .reverse : .bothDirections
    }

    /// Returns true if, within 64 replies, more are unknown than probes are unanswered: one may answer a reordered probe.
    private func hasSurplus(after reply: UInt64) -> Bool {
        guard var before = known[reply] else { return false }
        var unknown = 0
        for number in reply + 1...reply + 64 {
            if number > newest { return false }
            guard let probe = known[number] else {
                unknown += 1
                continue
            }
            if unknown > max(0, probe - before - 1) { return true }
            (unknown, before) = (0, probe)
        }
        return false
    }
}

/// Counts of losses, by direction or the reason why it is unknown.
struct LossTally {
    private(set) var counts: [LossReference.Direction: Int] = [:]
    /// Losses whose direction the session does not know although the rule gives it.
    var undetermined: [LossReference.Direction: Int] = [:]
    /// Losses whose direction is not the true one.
    var misjudged = 0
    var probes = 0

    mutating func add(_ direction: LossReference.Direction) { counts[direction, default: 0] += 1 }

    mutating func add(_ other: LossTally) {
        probes += other.probes
        misjudged += other.misjudged
        for (direction, count) in other.counts { counts[direction, default: 0] += count }
        for (direction, count) in other.undetermined { undetermined[direction, default: 0] += count }
    }

    var text: String {
        let all = counts.values.reduce(0, +)
        let parts = LossReference.Direction.allCases.map { "\($0) \(counts[$0, default: 0])" }
        return "\(probes) probes, \(all) losses: " + parts.joined(separator: ", ")
            + "; missed: \(undetermined), misjudged \(misjudged)"
    }
}
