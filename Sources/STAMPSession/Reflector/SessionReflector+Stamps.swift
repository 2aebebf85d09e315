import Report
import STAMPWire

extension SessionReflector {
    /// Records a message with transmit timestamps of a reply.
    ///
    /// - Parameters:
    ///   - place: the place of its ``Answer``.
    ///   - bits: the low bits of its ID there, which identify it among the replies in flight.
    ///   - width: the number of these bits.
    ///   - now: read after the message was received.
    public mutating func record(_ stamp: StampReport, of place: Int, bits: UInt32, width: UInt32, at now: HostTime) {
        guard table.sessions.indices.contains(place) else { return book.recordUnknown() }
        let newest = table[place].replies.next &- 1
        let id = newest &- ((newest &- bits) & (1 << width &- 1))
        guard let index = table[place].replies.index(of: id) else { return book.recordUnknown() }
        let match = book.record(stamp.kinds, of: &table[place].replies[index].book)
        guard match != .unknown else { return }
        if stamp.kinds.contains(.sched) { table[place].replies[index].reply.sched = stamp.software }
        if stamp.kinds.contains(.software) { table[place].replies[index].reply.software = stamp.software }
        if stamp.kinds.contains(.hardware) {
            let app = table[place].replies[index].reply.app
            table[place].replies[index].reply.nic = stamp.hardware.plausible(sentAfter: app, now)
        }
        if match == .stamped(isComplete: true) { markStamped(index, place) }
        touch(place)
    }

    /// The number of replies that wait for transmit timestamps.
    @inlinable public var pendingStamps: Int { book.waiting }

    /// Records that the error queue was found full: the timestamps of earlier replies that never arrive were lost there.
    public mutating func recordFullStampQueue() {
        for place in table.sessions.indices where table[place].isOpen {
            table[place].fullQueue = table[place].replies.next
        }
    }

    /// Handles a reply whose timestamps are complete: later replies report them to the sender.
    mutating func markStamped(_ index: Int, _ place: Int) {
        let slot = table[place].replies[index]
        table[place].replies[index].flags.insert(.stamped)
        let id = table[place].firstID &+ slot.replySequence
        if !table[place].isToFormerSender(id) { reportStamps(of: slot, id, place) }
        complete(index, place)
    }

    /// Keeps a reply's timestamps for the next replies.
    private mutating func reportStamps(of slot: ReplySlot, _ id: UInt32, _ place: Int) {
        table[place].stampedReplies.add(id)
        let usingHardware = configuration.usesHardwareOnly ? slot.reply.nic.realtime : nil
        if let time = usingHardware ?? slot.reply.software {
            table[place].followUp = FollowUp(
                sequence: slot.replySequence, timestamp: NTPTimestamp(unixNanoseconds: time).rawValue,
                method: usingHardware == nil ? TimestampingMethod.softwareLocal : TimestampingMethod.hardwareAssist)
        }
    }

    /// The longest probe interval for which rows wait for the sender's telemetry, in nanoseconds. Rows of slower
    /// senders are written without it.
    private static let maximumProbeIntervalNanoseconds: Int64 = 60_000_000_000

    /// Writes off a session's timestamps and rows whose timeout has passed.
    mutating func sweep(_ place: Int, _ now: HostTime, stampsBefore: Int64) {
        table[place].isTouched = false
        writeOffStamps(place, sentBefore: stampsBefore)
        // The sender's report arrives with its next probes.
        let timeout =
            configuration.timeoutNanoseconds &+ 2
            &* min(table[place].probeIntervalNanoseconds, Self.maximumProbeIntervalNanoseconds)
        while table[place].oldest != table[place].replies.next {
            if let index = table[place].replies.index(of: table[place].oldest) {
                let flags = table[place].replies[index].flags
                let isFinished = table[place].replies[index].isFinished
                if configuration.writesRows ? !isFinished : !flags.contains(.stamped) {
                    guard now.monotonic &- table[place].replies[index].sentAt > timeout else { return }
                    finish(index, place)
                }
            }
            table[place].oldest &+= 1
        }
    }

    /// Writes off the transmit timestamps of a session's replies that were sent before a time and still wait for them.
    private mutating func writeOffStamps(_ place: Int, sentBefore time: Int64) {
        while table[place].oldestWaiting != table[place].replies.next {
            let id = table[place].oldestWaiting
            if table[place].fullQueue == id { table[place].fullQueue = nil }
            if let index = table[place].replies.index(of: id) {
                if table[place].replies[index].flags.contains(.unsent) { return }
                if table[place].replies[index].book.isWaiting {
                    guard table[place].replies[index].sentAt < time else { return }
                    writeOff(index, place)
                }
            }
            table[place].oldestWaiting &+= 1
        }
    }

    private mutating func writeOff(_ index: Int, _ place: Int) {
        let host = host
        let wasQueueFull = table[place].isBeforeFullQueue(table[place].oldestWaiting)
        let reason = book.writeOff(
            &table[place].replies[index].book, wasQueueFull: wasQueueFull,
            hardwareReason: host.reasonForMissingHardwareStamp)
        table[place].replies[index].stampMissing = reason
        if table[place].replies[index].reply.nic.time == nil {
            table[place].replies[index].reply.nic.missing = reason.wireCode
        }
        markStamped(index, place)
    }

    /// Writes the rows of all remaining probes of a session. Timestamps that are still awaited stay pending in the ledger.
    mutating func finishAll(_ place: Int) {
        while table[place].oldest != table[place].replies.next {
            if let index = table[place].replies.index(of: table[place].oldest) {
                if !table[place].replies[index].flags.contains(.stamped) {
                    table[place].replies[index].stampMissing = .closed
                }
                finish(index, place)
            }
            table[place].oldest &+= 1
        }
    }
}
