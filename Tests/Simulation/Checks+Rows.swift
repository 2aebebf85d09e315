import Report
import STAMPSession
import STAMPWire

extension Checks {
    /// Exactly two rows for each measured probe, and none for others.
    func checkNumber(of rows: SenderRows, _ sender: SenderApp) {
        expect(rows.strangers == 0 && rows.surplus == 0, "\(rows.strangers) strange and \(rows.surplus) surplus rows")
        for (sequence, probe) in world.truth.probes[sender.index].enumerated() {
            let found = (rows.probe[sequence] >= 0, rows.reply[sequence] >= 0)
            expect(found == (probe.isMeasured, probe.isMeasured), "probe \(sequence) has rows \(found)")
        }
    }

    /// The sums of the totals, and their equality with the rows and the truth.
    func checkTotals(_ rows: SenderRows, _ sender: SenderApp, _ result: SenderResult) {
        let totals = result.totals
        let sequence = totals.sequence
        let probes = world.truth.probes[sender.index]
        let sent = probes.count { $0.isMeasured && $0.refusal == nil }
        let refused = probes.count { $0.isMeasured && $0.refusal != nil }
        expect(totals.sent == sent && totals.notSent == refused, "sent \(totals), but really \(sent) and \(refused)")
        expect(
            totals.sent == totals.received + sequence.lostForward + sequence.lostReverse + sequence.lostUnknown,
            "sums \(totals)")
        let uncounted = probes.count { !$0.isMeasured && $0.refusal == nil }
        expect(result.uncountedProbes == uncounted, "\(result.uncountedProbes) uncounted, really \(uncounted)")
        let refusals = probes.count { $0.refusal != nil }
        expect(result.refusals == refusals, "\(result.refusals) refusals, really \(refusals)")
        var counts: [PacketStatus: UInt64] = [:]
        var unknown: UInt64 = 0
        for entry in sender.log.rows {
            if entry.row.packet == .probe {
                counts[entry.row.status, default: 0] += 1
                if entry.row.status == .unknown { unknown += 1 }
            } else if entry.row.status == .lost {
                counts[.absent, default: 0] += 1
            }
        }
        expect(counts[.lost, default: 0] == sequence.lostForward, "lost forward: rows \(counts), \(totals)")
        expect(counts[.absent, default: 0] == sequence.lostReverse, "lost reverse: rows \(counts), \(totals)")
        expect(unknown == sequence.lostUnknown, "lost: rows \(counts), \(totals)")
        expect(counts[.notSent, default: 0] == totals.notSent, "not sent: rows \(counts), \(totals)")
        expect(
            rows.probeDuplicates == Int(sequence.duplicatedForward)
                && rows.replyDuplicates == Int(sequence.duplicatedForward + sequence.duplicatedReverse),
            "duplicates: rows \(rows.probeDuplicates) and \(rows.replyDuplicates), \(totals)")
    }

    /// The timestamps and delays of all rows of a sender.
    func checkTimestamps(_ rows: SenderRows, _ sender: SenderApp) {
        var reports = TelemetryIndex(world.truth, sender.index)
        for entry in sender.log.rows {
            let row = entry.row
            let probe = world.truth.probes[sender.index][Int(row.sequence)]
            reports.advance(to: entry.step)
            if row.packet == .probe {
                checkProbe(entry, probe, sender)
            } else {
                checkReply(entry, probe, reports)
            }
            checkDelay(row, "\(row.packet) \(row.sequence)")
            if let times = world.trueTimes(of: row, sender: sender.index) { checkError(row, times) }
        }
    }

    private func checkProbe(_ entry: RowLog.Entry, _ probe: Truth.Probe, _ sender: SenderApp) {
        let row = entry.row
        let name = "probe \(row.sequence)"
        let steps = sender.ledger.packets[Int(row.sequence)].steps
        expect(row.transmitApp == probe.sent.app, "\(name): T1 \(row.transmitApp as Any), really \(probe.sent.app)")
        expect(
            row.transmitSched == (steps.sched <= entry.step ? probe.sent.sched : nil),
            "\(name): sched \(row.transmitSched as Any), really \(probe.sent.sched) in \(steps), row in \(entry.step)")
        expect(
            row.transmitSoftware == (steps.software <= entry.step ? probe.sent.software : nil),
            "\(name): driver \(row.transmitSoftware as Any), really \(probe.sent.software)")
        expect(
            row.transmitHardware == (steps.hardware <= entry.step ? probe.sent.nic.time : nil),
            "\(name): NIC \(row.transmitHardware as Any), really \(probe.sent.nic)")
        if let realtime = row.transmitHardwareRealtime {
            expect(realtime == probe.sent.nic.realtime, "\(name): converted \(realtime), really \(probe.sent.nic)")
        }
        // Which of several replies told of the receipt is not in the row: it has to be that of one of them.
        guard row.receiveSoftware != nil || row.receiveApp != nil else { return }
        var reply = probe.firstReply
        var isFound = false
        while reply >= 0, !isFound {
            let truth = world.truth.replies[reply]
            isFound =
                (row.replySequence == nil || row.replySequence == truth.number)
                && world.matches(row, truth.received)
            reply = truth.next
        }
        expect(isFound, "\(name): receipt \(row.receiveSoftware as Any), \(row.receiveApp as Any) is of no reply")
    }

    private func checkReply(_ entry: RowLog.Entry, _ probe: Truth.Probe, _ reports: TelemetryIndex) {
        let row = entry.row
        let name = "reply \(row.sequence)"
        if let app = row.transmitApp {
            guard let number = row.replySequence,
                let truth = world.reply(number, to: probe, receivedAt: row.transmitApp)
            else { return expect(false, "\(name): number \(row.replySequence as Any), T3 \(app) of no reply") }
            expect(
                (row.transmitSched ?? truth.sent.sched) == truth.sent.sched
                    && (row.transmitSoftware ?? truth.sent.software) == truth.sent.software
                    && (row.transmitHardware ?? truth.sent.nic.time) == truth.sent.nic.time
                    && (row.transmitHardwareRealtime ?? truth.sent.nic.realtime) == truth.sent.nic.realtime,
                "\(name): \(row) of \(truth.sent)", about: row.sequence)
            // The report of one reply to a duplicated probe replaces that of another.
            if row.status != .duplicate, row.receiveApp != nil, truth.next < 0,
                world.truth.replies[probe.firstReply].next < 0,
                let report = reports.sent(number, truth.life, probe: row.sequence)
            {
                expect(
                    row.transmitSoftware != nil || report.software == nil,
                    "\(name): the driver timestamp was reported before its row was written", about: row.sequence)
                expect(
                    row.transmitSched != nil || report.sched == nil,
                    "\(name): the SCHED timestamp was reported before its row was written")
            }
        }
        guard row.receiveApp != nil else { return }
        var delivery = probe.firstDelivery
        var isFound = false
        while delivery >= 0, !isFound {
            let truth = world.truth.deliveries[delivery]
            let received = truth.received
            isFound =
                row.receiveSoftware == received.software && row.receiveApp == received.app
                && row.receiveHardware == received.nic.time && row.receiveHardwareRealtime == received.nic.realtime
                && row.replySequence == world.truth.replies[truth.reply].number
            delivery = truth.next
        }
        expect(isFound, "\(name): receipt \(row.receiveSoftware as Any) is of no delivery")
    }

    /// A row's delay is that of its basis, to the nanosecond.
    func checkDelay(_ row: PacketRecord, _ name: String) {
        let transmit: Int64?
        let receive: Int64?
        if scenario.usesHardwareOnly {
            (transmit, receive) = (row.transmitHardwareRealtime, row.receiveHardwareRealtime)
        } else {
            transmit = row.transmitSoftware ?? row.transmitSched ?? row.transmitApp
            receive = row.receiveSoftware ?? row.receiveApp
        }
        guard row.clockEpoch != nil, let transmit, let receive else {
            return expect(row.delay == nil && row.delayError == nil, "\(name): a delay without a basis: \(row)")
        }
        expect(row.delay == receive - transmit, "\(name): delay \(row.delay as Any), really \(receive - transmit)")
        let isByKernel = row.receiveSoftware != nil && (row.transmitSoftware ?? row.transmitSched) != nil
        let clock: StampKind = scenario.usesHardwareOnly ? .hardware : isByKernel ? .software : .app
        expect(row.delayClock == clock, "\(name): the delay's clock is \(row.delayClock as Any)")
        expect(row.delayError == nil || clock != .app, "\(name): an application's delay has an error")
    }

    /// The true delay lies within the stated error.
    func checkError(_ row: PacketRecord, _ times: (transmit: Int64, receive: Int64)) {
        guard let delay = row.delay, let error = row.delayError else { return }
        var truth = times.receive - times.transmit
        if scenario.isOneHost {
            let clock = world.reflector.clock
            truth = clock.realtime(at: times.receive) - clock.realtime(at: times.transmit)
        }
        expect(
            abs(delay - truth) <= error,
            "\(row.packet) \(row.sequence): delay \(delay) +- \(error), really \(truth), \(row.status)",
            about: row.sequence)
    }
}
