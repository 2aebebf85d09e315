import Report
import STAMPWire

/// What the simulator knows of the packet of a row.
extension World {
    /// Returns whether a row's receive timestamps of a probe are those of a receipt, as its reflector reports them.
    func matches(_ row: PacketRecord, _ received: ReceivedTimes) -> Bool {
        guard scenario.reflector == .paired else {
            // T2 alone, which nothing shows to be the kernel's.
            return row.receiveSoftware == nil && row.receiveApp == received.software
        }
        return row.receiveSoftware == received.software && row.receiveApp == received.app
            && row.receiveHardware == received.nic.time && row.receiveHardwareRealtime == received.nic.realtime
    }

    /// The reply with a number and T3 to a probe.
    func reply(_ number: UInt32, to probe: Truth.Probe, receivedAt app: Int64?) -> Truth.Reply? {
        var index = probe.firstReply
        while index >= 0 {
            let reply = truth.replies[index]
            if reply.number == number, app == nil || reply.sent.app == app { return reply }
            index = reply.next
        }
        return nil
    }

    /// The true times of the two points that a row's delay is measured between; nil if they cannot be found.
    func trueTimes(of row: PacketRecord, sender: Int) -> (transmit: Int64, receive: Int64)? {
        guard row.delay != nil else { return nil }
        let probe = truth.probes[sender][Int(row.sequence)]
        if row.packet == .probe {
            var index = probe.firstReply
            while index >= 0 {
                let reply = truth.replies[index]
                let isIt = row.direction == .in ? row.replySequence == reply.number : matches(row, reply.received)
                if isIt, row.replySequence == nil || row.replySequence == reply.number {
                    return (transmitTime(of: row, probe.sent), receiveTime(of: row, reply.received))
                }
                index = reply.next
            }
            return nil
        }
        guard let number = row.replySequence, let reply = reply(number, to: probe, receivedAt: row.transmitApp)
        else { return nil }
        var index = probe.firstDelivery
        while index >= 0 {
            let delivery = truth.deliveries[index]
            if row.receiveApp == delivery.received.app, row.receiveSoftware == delivery.received.software {
                return (transmitTime(of: row, reply.sent), receiveTime(of: row, delivery.received))
            }
            index = delivery.next
        }
        return nil
    }

    private func transmitTime(of row: PacketRecord, _ sent: SentTimes) -> Int64 {
        if scenario.usesHardwareOnly { return sent.trueNIC }
        if row.transmitSoftware != nil { return sent.trueSoftware }
        return row.transmitSched != nil ? sent.trueSched : sent.trueApp
    }

    private func receiveTime(of row: PacketRecord, _ received: ReceivedTimes) -> Int64 {
        if scenario.usesHardwareOnly { return received.trueNIC }
        // T2 of a foreign reflector is its kernel's timestamp.
        return row.receiveSoftware != nil || row.receiveApp == received.software
            ? received.trueSoftware : received.trueApp
    }
}

/// The reports of replies that had reached a sender by a step of the run.
struct TelemetryIndex {
    private let truth: Truth
    private let sender: Int
    private var next = 0
    private var reports: [UInt64: TransmitTimes] = [:]

    init(_ truth: Truth, _ sender: Int) {
        self.truth = truth
        self.sender = sender
    }

    mutating func advance(to step: Int) {
        while next < truth.deliveries.count, truth.deliveries[next].step <= step {
            let delivery = truth.deliveries[next]
            next += 1
            guard delivery.sender == sender else { continue }
            let life = UInt64(truth.replies[delivery.reply].life) << 48
            for report in [delivery.telemetry.sent0, delivery.telemetry.sent1] {
                guard let report else { continue }
                reports[life | UInt64(report.sequence)] = report.times
            }
        }
    }

    /// The newest report of a reply.
    func sent(_ number: UInt32, _ life: Int, probe: UInt32) -> TransmitTimes? {
        reports[UInt64(life) << 48 | UInt64(number)]
    }
}
