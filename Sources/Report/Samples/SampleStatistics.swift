/// Statistics of received samples: by group, by STAMP session, and as distributions.
public struct SampleStatistics: Sendable {
    /// Counts of a group's samples, by their sequence numbers.
    public struct Group: Sendable {
        public var number: UInt32
        /// Samples whose sequence number never arrived.
        public var lost: UInt64
        /// Samples that arrived after one with a higher sequence number.
        public var reordered: UInt64
        /// Samples whose sequence number arrived before.
        public var repeated: UInt64
        /// Restarts of the sequence numbers, when the group was created again.
        public var restarts: UInt64

        /// Creates a group's counts.
        public init(number: UInt32, lost: UInt64, reordered: UInt64, repeated: UInt64, restarts: UInt64) {
            self.number = number
            self.lost = lost
            self.reordered = reordered
            self.repeated = repeated
            self.restarts = restarts
        }
    }

    /// One direction of a STAMP session at one sampler.
    struct SampledSession: Hashable {
        var group: UInt32?
        var direction: String?
        var kind: String
        var from: String
        var to: String
        var ssid: UInt16?
    }

    /// The samples of a session, and the range of its probes' sequence numbers.
    struct Session {
        var samples: UInt64 = 0
        var first: UInt32 = 0
        /// The distance from the first sequence number to the highest.
        var above: UInt32 = 0
        /// The distance from the lowest sequence number to the first.
        var below: UInt32 = 0
        /// The share of packets that the sampler last reported to sample.
        var probability: Double?

        mutating func add(_ sequence: UInt32) {
            if samples == 0 { first = sequence }
            samples += 1
            let distance = sequence &- first
            if distance < 1 << 31 { above = max(above, distance) } else { below = max(below, 0 &- distance) }
        }

        /// The number of the session's packets from the first to the last sampled one.
        var packets: UInt64 { UInt64(above) + UInt64(below) + 1 }
    }

    public private(set) var samples: UInt64 = 0
    /// Samples by group.
    public private(set) var counts: [UInt32: UInt64] = [:]
    public private(set) var stampPackets: UInt64 = 0
    /// The kernel's count of notifications that were lost to a full receive buffer.
    public var dropped: UInt64 = 0
    /// Malformed messages.
    public var malformed: UInt64 = 0
    public var groups: [Group] = []
    /// Latencies through the sampling devices, in nanoseconds.
    public private(set) var latency = SignedHistogram()
    /// Times from the sampling to the reading of the sample, in nanoseconds.
    public private(set) var delivery = SignedHistogram()
    /// Times from the send time of outgoing STAMP packets to their sampling, in nanoseconds of this host's clock.
    public private(set) var sentToSampleOut = SignedHistogram()
    /// The same for incoming packets, in nanoseconds from the peer's clock to this host's.
    public private(set) var sentToSampleIn = SignedHistogram()
    /// The number of outgoing STAMP packets that were sampled before their send time, which means that a clock was set
    /// or is wrong.
    public private(set) var early: UInt64 = 0
    /// The first of them.
    private(set) var firstEarly: SampleRecord?
    /// The samplers' rates by group; a group's samplers can have different rates.
    private(set) var rates: [UInt32: [String]] = [:]
    private(set) var sessions: [SampledSession: Session] = [:]
    /// The number of sessions that are counted separately.
    private static let sessionLimit = 4096
    private static let rateLimit = 8

    /// Creates empty statistics.
    public init() {}

    /// Adds a sample.
    public mutating func add(_ record: SampleRecord) {
        samples += 1
        if let group = record.group { counts[group, default: 0] += 1 }
        if let latency = record.latency { self.latency.record(Int64(clamping: latency)) }
        if let timestamp = record.timestamp { delivery.record(record.received &- timestamp) }
        if let group = record.group, let rate = record.rate {
            let text = SampleRecord.rateText(rate, isProbability: record.isProbability)
            let known = rates[group] ?? []
            if known.count < Self.rateLimit, !known.contains(text) { rates[group] = known + [text] }
        }
        if let stamp = record.stamp { add(stamp, record) }
    }

    private mutating func add(_ stamp: SampleRecord.STAMPPacket, _ record: SampleRecord) {
        stampPackets += 1
        if let distance = record.sinceSent {
            switch record.direction {
            case "out":
                sentToSampleOut.record(distance)
                if distance < 0 {
                    early += 1
                    if firstEarly == nil { firstEarly = record }
                }
            case "in": sentToSampleIn.record(distance)
            default: break
            }
        }
        guard let sequence = stamp.probeSequence else { return }
        let key = SampledSession(
            group: record.group, direction: record.direction, kind: stamp.kind,
            from: endpointText(stamp.source, stamp.sourcePort),
            to: endpointText(stamp.destination, stamp.destinationPort), ssid: stamp.ssid)
        guard sessions[key] != nil || sessions.count < Self.sessionLimit else { return }
        sessions[key, default: Session()].add(sequence)
        sessions[key]?.probability = record.probability
    }

    var sortedSessions: [(key: SampledSession, value: Session)] {
        sessions.sorted { left, right in
            let (l, r) = (left.key, right.key)
            return (l.group ?? 0, l.from, l.to, l.kind, l.direction ?? "") < (
                r.group ?? 0, r.from, r.to, r.kind, r.direction ?? ""
            )
        }
    }
}
