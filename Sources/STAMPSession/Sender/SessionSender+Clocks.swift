import Report
import STAMPWire

extension SessionSender {
    /// Records a step of this host's CLOCK_REALTIME.
    ///
    /// Check for steps after packets are received and before they are passed to the session: all their timestamps are
    /// then earlier than the check, and packets on the path belong to neither side of the step.
    ///
    /// - Parameters:
    ///   - amount: the size of the step in nanoseconds, positive if forward.
    ///   - error: the bound of its error, in nanoseconds.
    ///   - now: with the step counted in its `clockSteps`.
    public mutating func recordLocalStep(amount: Int64, error: Int64, at now: HostTime) {
        epochs.follow(localSteps: now.clockSteps)
        // On a shared clock the peer's clock made the same step.
        if !result.relation.isOneClock { offset.localStep(by: amount) }
        reportPending()
        add(step: .local, amount: amount, error: error, now)
        reportLastStep()
    }

    /// Updates the relation of the clocks and the clock epochs from a paired peer's report.
    mutating func update(ofClock paired: PairedTimestamps, _ now: HostTime) {
        let isNewBoot = result.relation.update(peerBootHash: paired.bootHash)
        if let known = peerInstance, known != paired.instance { epochs.resetPeer() }
        let wasSet = epochs.update(reported: paired.clockSteps, isOneClock: result.relation.isOneClock)
        if wasSet {
            recordPeerStep(now)
        } else if isNewBoot {
            epochs.recordPeerStep()
            recordPeerStep(now)
        }
    }

    /// Checks an exchange for clock steps, and marks it as crossing if a clock was set during it: it then has no
    /// delays.
    mutating func judge(_ reply: ReflectorPacket, _ receipt: ReceiveTimes, at index: Int, _ now: HostTime) {
        guard slots[index].epoch == epochs.current else { return slots[index].flags.formUnion(.crossing) }
        guard let t1 = slots[index].probe.app, let t4 = receipt.software ?? receipt.app,
            let t2 = reply.receiveNanoseconds(near: t4), let t3 = reply.transmitNanoseconds(near: t4)
        else { return }
        let exchange = OffsetBounds.Exchange(
            t1: t1, t2: t2, t3: t3, t4: t4, sent: slots[index].sentAt, received: now.monotonic)
        switch offset.record(exchange) {
        case .consistent: break
        case .inconsistent: slots[index].flags.insert(.crossing)
        case .stepped:
            slots[index].flags.insert(.crossing)
            epochs.recordPeerStep()
            recordPeerStep(now)
        case .settled(let size):
            guard isStepPending else { break }
            _ = result.clockSteps.settleLast(amount: size.amount, error: size.error)
            reportPending()
        }
    }

    /// Records that the peer's clock was set. The first exchange after the step gives its size.
    private mutating func recordPeerStep(_ now: HostTime) {
        offset.restart()
        result.relation.recordPeerStep()
        reportPending()
        add(step: .peer, amount: nil, error: nil, now)
        isStepPending = true
    }

    private mutating func add(step side: ClockStep.Side, amount: Int64?, error: Int64?, _ now: HostTime) {
        guard let epoch = epochs.label(epochs.current) else { return }
        result.clockSteps.add(
            ClockStep(side: side, epoch: epoch, noticed: now.realtime, sequence: next, amount: amount, error: error))
    }

    /// Reports a step that was held back until its size is known.
    mutating func reportPending() {
        guard isStepPending else { return }
        isStepPending = false
        reportLastStep()
    }

    /// Reports the last step if it is listed. The limit keeps a peer that sets its clock all the time from filling the
    /// terminal.
    private mutating func reportLastStep() {
        guard let step = result.clockSteps.last else { return }
        host.report(.clockSet(step))
    }

    /// The clock epoch of a probe's or reply's row; nil if a clock was set during the exchange.
    @inline(__always)
    func clockEpoch(_ slot: ProbeSlot, isReply: Bool) -> UInt16? {
        if slot.flags.contains(.crossing) { return nil }
        if !slot.flags.contains(.replied), slot.epoch != epochs.current { return nil }
        // The peer's clock can be set between the reply's clock step count and its transmit timestamp.
        if isReply, slot.epoch < epochs.lastPeerStep { return nil }
        return epochs.label(slot.epoch)
    }
}
