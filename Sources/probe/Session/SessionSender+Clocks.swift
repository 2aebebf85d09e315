import HostClocks
import LinuxKernel
import Report
import STAMPWire

extension SessionSender {
    /// Looks whether this host's clock was set. To be called between receiving replies and taking them in: then all of
    /// their timestamps are of before the look, and what is on its way belongs to neither side of the step.
    mutating func checkClock() {
        guard let step = clockWatch.read() else { return }
        phc.forget()
        // The kernel vouches for it no longer; the next reading of its quality says so too.
        control.errorEstimate = Housekeeping.unknownError
        epochs.follow(localSteps: clockWatch.steps)
        // On one clock the peer's went along.
        if !relation.isOneClock { offset.localStep(by: step.amount) }
        reportPending()
        add(step: .local, amount: step.amount, error: step.error)
        reportLastStep()
    }

    /// Takes up what a paired peer tells of its clock.
    mutating func update(ofClock paired: PairedTimestamps) {
        let isNewBoot = relation.update(peerBootHash: paired.bootHash)
        if let known = peerInstance, known != paired.instance { epochs.forgetPeer() }
        let wasSet = epochs.update(reported: paired.clockSteps, isOneClock: relation.isOneClock)
        if wasSet {
            recordPeerStep()
        } else if isNewBoot {
            epochs.beginWithPeer()
            recordPeerStep()
        }
    }

    /// Decides whether an exchange has delays: not if a clock was set while it was under way.
    mutating func judge(_ reply: ReflectorPacket, _ receipt: ReceiveStamps, at index: Int) {
        guard slots[index].epoch == epochs.current else { return slots[index].flags.formUnion(.crossing) }
        guard let t1 = slots[index].probe.app, let t4 = receipt.software ?? receipt.app,
            let t2 = reply.receiveNanoseconds(near: t4), let t3 = reply.transmitNanoseconds(near: t4)
        else { return }
        let exchange = OffsetBounds.Exchange(
            t1: t1, t2: t2, t3: t3, t4: t4, sent: slots[index].sentAt, received: lastReplyAt)
        switch offset.record(exchange) {
        case .consistent: break
        case .inconsistent: slots[index].flags.insert(.crossing)
        case .stepped:
            slots[index].flags.insert(.crossing)
            epochs.beginWithPeer()
            recordPeerStep()
        case .settled(let size):
            guard isStepPending else { break }
            _ = result.clockSteps.settleLast(amount: size.amount, error: size.error)
            reportPending()
        }
    }

    /// The peer's clock was set: by how much, the first exchange after it will show.
    private mutating func recordPeerStep() {
        offset.restart()
        relation.recordPeerStep()
        reportPending()
        add(step: .peer, amount: nil, error: nil)
        isStepPending = true
    }

    private mutating func add(step side: ClockStep.Side, amount: Int64?, error: Int64?) {
        guard let epoch = epochs.label(epochs.current) else { return }
        result.clockSteps.add(
            ClockStep(
                side: side, epoch: epoch, noticed: ClockID.realtime.now(), sequence: next, amount: amount,
                error: error))
    }

    /// Tells of a step that was kept back until its size is known.
    mutating func reportPending() {
        guard isStepPending else { return }
        isStepPending = false
        reportLastStep()
    }

    /// Only as many as are listed: a peer that plays with its clock shall not fill the terminal.
    private mutating func reportLastStep() {
        guard let step = result.clockSteps.last else { return }
        report(.clockSet(step))
    }

    /// The clock epoch of a probe's row or its reply's; `nil` where a clock was set while it was under way.
    func clockEpoch(_ slot: ProbeSlot, isReply: Bool) -> UInt16? {
        if slot.flags.contains(.crossing) { return nil }
        if !slot.flags.contains(.replied), slot.epoch != epochs.current { return nil }
        // The peer took the reply's transmit timestamp after the reply said on which side of a step it was.
        if isReply, slot.epoch < epochs.ofPeer { return nil }
        return epochs.label(slot.epoch)
    }
}
