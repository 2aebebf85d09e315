import NetworkAddresses
import STAMPWire

/// The fields that identify a session: RFC 8762 section 4 and RFC 8972 section 3.
public struct SessionKey: Hashable, Sendable {
    public var source: IPAddress
    public var sourcePort: UInt16
    public var destination: IPAddress
    public var ssid: UInt16

    public init(source: IPAddress, sourcePort: UInt16, destination: IPAddress, ssid: UInt16) {
        self.source = source
        self.sourcePort = sourcePort
        self.destination = destination
        self.ssid = ssid
    }
}

/// The state of one session at a session-reflector.
struct ReflectedSession: Sendable {
    var key: SessionKey
    var isOpen = false
    /// The sender's MAC address if packets have no IP header.
    var station: MACAddress?
    /// The session ID in the log: the sender's random ID, or a hash of the key for a standard STAMP sender.
    var identifier: UInt64
    /// The replies whose timestamps or rows are not finished, by ID. The IDs of a place go on counting from one session to
    /// the next, so that a late timestamp finds no reply of another session.
    var replies: SequenceRing<ReplySlot>
    let firstID: UInt32
    /// The oldest reply that is not finished, and the oldest that may wait for transmit timestamps.
    var oldest: UInt32
    var oldestWaiting: UInt32
    /// The first reply to the sender that uses the port now.
    private(set) var firstOfSender: UInt32
    /// Replies before this one were sent before the error queue was last found full.
    var fullQueue: UInt32?
    /// The time of the last probe, in CLOCK_MONOTONIC nanoseconds.
    var lastUsed: Int64
    /// The time between the last two probes, in nanoseconds.
    var probeIntervalNanoseconds: Int64 = 0
    /// The IDs of replies whose timestamps are complete, to be reported to the sender.
    var stampedReplies = TelemetryQueue(capacity: 256)
    /// The newest earlier reply whose actual transmit timestamp is known, with the timestamp and its method.
    var followUp: (sequence: UInt32, time: Int64, method: UInt8)?
    var previousReceipt: ReceiveStamps?
    /// The newest probe, and a bit for each of the 64 newest that was received.
    var newestProbe: UInt32?
    private var window: UInt64 = 0
    var relation: ClockRelation
    var clock: ClockEpochs
    var hasMeasured = false
    /// True if the last probe was a closing one, sent only to fetch follow-ups.
    var isClosing = false
    var isPaired = false
    /// True if it has changed since the last ``SessionReflector/advance(to:stampsBefore:)``.
    var isTouched = false

    init(
        _ key: SessionKey, identifier: UInt64, now: Int64, bootHash: UInt64, localSteps: UInt32 = 0, firstID: UInt32 = 0
    ) {
        self.key = key
        self.identifier = identifier
        self.firstID = firstID
        replies = SequenceRing(capacity: SessionTable.guaranteedSlots, empty: ReplySlot(), next: firstID)
        oldest = firstID
        oldestWaiting = firstID
        firstOfSender = firstID
        lastUsed = now
        relation = ClockRelation(localBootHash: bootHash)
        clock = ClockEpochs(localSteps: localSteps)
    }

    private static let restartDistance: UInt64 = 1024

    /// The next reply's sequence number.
    var nextReply: UInt32 { replies.next &- firstID }

    /// The time without a probe after which the session expires, in nanoseconds: at least four of the sender's
    /// intervals.
    var timeoutNanoseconds: Int64 {
        max(SessionTable.expiryNanoseconds, 4 &* min(probeIntervalNanoseconds, 1 << 60))
    }

    /// Forgets the probes and reports of the former sender, because another one uses the port now.
    mutating func beginOtherSender() {
        firstOfSender = replies.next
        stampedReplies.removeAll()
        followUp = nil
        previousReceipt = nil
        newestProbe = nil
        window = 0
        hasMeasured = false
    }

    /// Returns whether a reply was to a former sender, to which its timestamps are not reported any more.
    func isToFormerSender(_ id: UInt32) -> Bool { Int32(bitPattern: id &- firstOfSender) < 0 }

    func isBeforeFullQueue(_ id: UInt32) -> Bool {
        fullQueue.map { Int32(bitPattern: id &- $0) < 0 } ?? false
    }

    enum ProbeOrder {
        case inOrder, reordered, duplicate
    }

    /// Records a probe's sequence number, and returns whether the probe is in order, reordered or a duplicate.
    mutating func record(probe sequence: UInt32) -> ProbeOrder {
        guard let newest = newestProbe else {
            newestProbe = sequence
            window = 1
            return .inOrder
        }
        let ahead = Int32(bitPattern: sequence &- newest)
        if ahead > 0 {
            window = ahead < 64 ? window << UInt64(ahead) | 1 : 1
            newestProbe = sequence
            return .inOrder
        }
        let behind = UInt64(ahead.magnitude)
        if behind > Self.restartDistance {
            // No network reorders that far: the sender has restarted.
            newestProbe = sequence
            window = 1
            return .inOrder
        }
        guard behind < 64 else { return .reordered }
        if window & 1 << behind != 0 { return .duplicate }
        window |= 1 << behind
        return .reordered
    }
}
