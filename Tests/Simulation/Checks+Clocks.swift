import Report
import STAMPSession

extension Checks {
    /// No delay mixes two clock epochs, and all delays with one label are of one epoch.
    ///
    /// An epoch is the number of steps that each clock had made when its timestamp was taken: a step of the sending host
    /// after a packet has left changes neither of its timestamps.
    func checkEpochs(_ rows: [RowLog.Entry]) {
        let (local, remote) = (world.senders[0].clock, world.reflector.clock)
        var epochs: [UInt64: (Int, Int)] = [:]
        for entry in rows {
            let row = entry.row
            let sender = world.sender(of: row)
            guard let epoch = row.clockEpoch, row.delay != nil, let times = world.trueTimes(of: row, sender: sender)
            else { continue }
            let (mine, theirs) =
                row.packet == .probe ? (times.transmit, times.receive) : (times.receive, times.transmit)
            // A foreign reflector's small steps cannot be seen.
            let steps = (
                local.steps(until: mine).count,
                scenario.reflector == .paired ? remote.steps(until: theirs).count : 0
            )
            let key = UInt64(sender) << 32 | UInt64(epoch)
            let known = epochs[key] ?? steps
            expect(
                known == steps, "\(row.packet) \(row.sequence), epoch \(epoch): steps \(steps), before \(known)",
                about: row.sequence, of: sender)
            epochs[key] = known
        }
    }

    /// The steps of this host's clock during the measurement are all listed.
    func checkSteps(_ sender: SenderApp, _ result: SenderResult) {
        let listed = result.clockSteps.listed.filter { $0.side == .local }.map(\.amount)
        guard result.clockSteps.count == result.clockSteps.listed.count else { return }
        expect(listed == sender.reportedSteps, "steps \(listed), really \(sender.reportedSteps)")
    }
}

extension World {
    /// The sender of a row, by its session or port.
    func sender(of row: PacketRecord) -> Int {
        senders.firstIndex { $0.session.configuration.session == row.session } ?? 0
    }
}
