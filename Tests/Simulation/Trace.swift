import Report
import STAMPWire

/// A description of what happened to one probe, for a failed check.
extension World {
    func trace(_ sequence: Int, sender: Int = 0) -> String {
        let probe = truth.probes[sender][sequence]
        func at(_ time: Int64) -> Int64 { time - scenario.begin }
        var lines = ["probe \(sequence) at \(at(probe.sent.trueApp)), refused \(probe.refusal as Any)"]
        lines[0] += ", stamps in steps \(senders[sender].ledger.packets[sequence].steps)"
        var index = probe.firstReply
        while index >= 0 {
            let reply = truth.replies[index]
            lines.append(
                "  reply \(reply.number) of life \(reply.life) at \(at(reply.sent.trueApp))\(reply.isRefused ? " refused" : "")"
            )
            index = reply.next
        }
        index = probe.firstDelivery
        while index >= 0 {
            let delivery = truth.deliveries[index]
            let told = delivery.telemetry
            lines.append(
                """
                  reply \(truth.replies[delivery.reply].number) arrives at \(at(delivery.received.trueApp)), step \
                \(delivery.step), with replies \(told.sent0?.sequence as Any) to \(told.sent0?.answered as Any), \
                \(told.sent1?.sequence as Any) to \(told.sent1?.answered as Any), before it \(told.previous as Any)
                """)
            index = delivery.next
        }
        for entry in senders[sender].log.rows where entry.row.sequence == sequence {
            let row = entry.row
            lines.append(
                """
                  row \(row.packet) \(row.status) in step \(entry.step), \(entry.probes) probes, number \
                \(row.replySequence as Any), epoch \(row.clockEpoch as Any), delay \(row.delay as Any)
                """)
        }
        return lines.joined(separator: "\n")
    }
}
