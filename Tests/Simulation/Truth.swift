import Report
import STAMPSession
import STAMPWire

/// What really happened in a run, as the simulated kernels, clocks and paths did it. The sessions see none of it.
struct Truth {
    /// A probe, at its sequence number in its sender's list.
    struct Probe {
        var isMeasured = false
        /// The errno of the kernel's refusal.
        var refusal: Int32?
        var sent = SentTimes()
        /// CLOCK_MONOTONIC of the send call.
        var sentAt: Int64 = 0
        /// Its first reply, in ``Truth/replies``, and the first and last one that reached the sender, in
        /// ``Truth/deliveries``; -1 without one. Each leads to the next.
        var firstReply = -1
        var firstDelivery = -1
        var lastDelivery = -1
    }

    /// A reply.
    struct Reply {
        var sender: Int
        var probe: UInt32
        /// The reflector's number.
        var number: UInt32
        /// The reflector's life, since it may restart.
        var life: Int
        var isMeasured: Bool
        var isRefused = false
        var received: ReceivedTimes
        var sent = SentTimes()
        /// Its place in the ledger of its life.
        var entry = 0
        /// The next reply to the same probe; -1: it is the last.
        var next = -1
    }

    /// A reply that was passed to its sender's session.
    struct Delivery {
        var sender: Int
        var reply: Int
        var step: Int
        /// CLOCK_MONOTONIC of the sender.
        var at: Int64
        var received: ReceivedTimes
        var telemetry: ReportedNumbers
        /// False if the sender kept its probe no longer, and so had to ignore it.
        var isKept: Bool
        /// The next delivery of a reply to the same probe; -1: it is the last.
        var next = -1
    }

    var probes: [[Probe]]
    var replies: [Reply] = []
    var deliveries: [Delivery] = []

    init(senders: Int) { probes = Array(repeating: [], count: senders) }

    /// Adds a reply to its probe's replies, and returns its index.
    mutating func add(_ reply: Reply) -> Int {
        let index = replies.count
        var reply = reply
        reply.next = probes[reply.sender][Int(reply.probe)].firstReply
        probes[reply.sender][Int(reply.probe)].firstReply = index
        replies.append(reply)
        return index
    }

    mutating func add(_ delivery: Delivery) {
        let index = deliveries.count
        let probe = Int(replies[delivery.reply].probe)
        let last = probes[delivery.sender][probe].lastDelivery
        if last >= 0 {
            deliveries[last].next = index
        } else {
            probes[delivery.sender][probe].firstDelivery = index
        }
        probes[delivery.sender][probe].lastDelivery = index
        deliveries.append(delivery)
    }
}

/// The earlier packets that one reply reports.
struct ReportedNumbers {
    var isPaired = false
    /// The reply that a Follow-Up Telemetry TLV names with a timestamp.
    var followUp: UInt32?
    var knowsFollowUps = false
    /// The replies that the paired-timestamps TLV reports as sent.
    var sent0: TransmitStamps?
    var sent1: TransmitStamps?
    /// The probe that the reflector received before the answered one.
    var previous: UInt32?

    init(_ payload: RawSpan) {
        var (followUp, paired, knows) = (FollowUp?.none, PairedTimestamps?.none, false)
        forEachTLV(in: payload) { tlv in
            guard !tlv.isUnrecognized, !tlv.isMalformed else { return }
            if tlv.type == TLVType.followUp {
                knows = true
                followUp = FollowUp(decoding: payload.extracting(tlv.value))
            } else if tlv.type == TLVType.pairedTimestamps {
                paired = PairedTimestamps(decoding: payload.extracting(tlv.value))
            }
        }
        knowsFollowUps = knows
        if let followUp, !followUp.isAbsent { self.followUp = followUp.sequence }
        guard let paired else { return }
        isPaired = true
        (sent0, sent1, previous) = (paired.transmit0, paired.transmit1, paired.receive1?.sequence)
    }
}
