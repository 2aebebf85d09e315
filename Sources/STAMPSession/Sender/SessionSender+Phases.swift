import Report
import STAMPWire

extension SessionSender {
    /// Enters the next phase when its condition is met.
    mutating func enterNextPhase(_ now: HostTime) {
        if stop == .abort { return enter(.over, now) }
        switch phase {
        case .opening:
            if stop == .finish { return enter(.closing, now) }
            if result.hasAnswered { return enter(.measuring, now) }
            let waited = now.monotonic &- phaseBegan
            if waited > Self.openingTimeoutNanoseconds {
                host.report(.peerSilent)
                enter(.measuring, now)
            } else if waited > 1_000_000_000, !hasReportedWaiting {
                hasReportedWaiting = true
                host.report(.waitingForPeer(seconds: Self.openingTimeoutNanoseconds / 1_000_000_000))
            }
        case .measuring:
            let isDone = configuration.count.map { attempts >= $0 } ?? false
            if stop == .finish || isDone { enter(.closing, now) }
        case .closing:
            if oldest == next || !hasUnfinished && peerKnowsAll { return enter(.over, now) }
            if now.monotonic &- phaseBegan > configuration.timeoutNanoseconds { enter(.over, now) }
        case .over:
            break
        }
    }

    mutating func enter(_ phase: Phase, _ now: HostTime) {
        if self.phase == .measuring {
            result.duration = now.monotonic &- phaseBegan
            skipMissedDeadlines(now)
        }
        self.phase = phase
        phaseBegan = now.monotonic
        phaseAttempts = 0
        switch phase {
        case .measuring:
            nextSend = firstDeadline(now)
            // Earlier clock epochs have no rows.
            epochs.begin()
            result.clockSteps = ClockSteps()
            isStepPending = false
        case .closing: nextSend = now.monotonic
        case .opening, .over: break
        }
    }

    /// The deadline of the first measured probe: soon, or the next one of the session's phase.
    private func firstDeadline(_ now: HostTime) -> Int64 {
        let interval = max(1, configuration.intervalNanoseconds)
        let soon = now.monotonic &+ min(interval, 1_000_000)
        guard let phase = configuration.phaseNanoseconds else { return soon }
        let first = created &+ phase
        let behind = soon &- first
        return behind <= 0 ? first : first &+ (behind &+ interval - 1) / interval &* interval
    }

    /// True if a measured probe has unfinished rows.
    var hasUnfinished: Bool {
        var sequence = oldest
        while sequence != next {
            if let index = slots.index(of: sequence), slots[index].flags.contains(.measured), !slots[index].isFinished {
                return true
            }
            sequence &+= 1
        }
        return false
    }

    /// True if the peer has all data for its rows: it has answered the probe with the last report, or a later one.
    private var peerKnowsAll: Bool {
        guard peerInstance != nil, result.totals.sent > 0 else { return true }
        guard var sequence = lastUpdateSequence else { return false }
        while sequence != next {
            if let index = slots.index(of: sequence), slots[index].flags.contains(.replied) { return true }
            sequence &+= 1
        }
        return false
    }

    /// Reports totals, silence and recovery once a second.
    mutating func report(_ now: HostTime) {
        guard now.monotonic >= nextReport else { return }
        nextReport = now.monotonic &+ Self.reportIntervalNanoseconds
        let silentFor = now.monotonic &- lastReplyAt
        isPeerSilent = silentFor > configuration.timeoutNanoseconds &+ configuration.intervalNanoseconds
        if isPeerSilent, phase == .measuring, result.hasAnswered, !sending.isFailing,
            let notice = silence.begin(lastReplyAt: lastReplyAt, now)
        {
            host.report(notice)
        }
        if let notice = sending.recovery(now.monotonic) { host.report(notice) }
        host.update(result.totals)
    }
}
