/// What came of listening to samples: by group, by session of STAMP, and as distributions.
public struct SampleStatistics: Sendable {
    /// What the numbers of a group's samples tell.
    public struct Group: Sendable {
        public var number: UInt32
        /// Numbers that never came.
        public var lost: UInt64
        public var reordered: UInt64
        public var repeated: UInt64
        public var restarts: UInt64

        /// What was counted of a group.
        public init(number: UInt32, lost: UInt64, reordered: UInt64, repeated: UInt64, restarts: UInt64) {
            self.number = number
            self.lost = lost
            self.reordered = reordered
            self.repeated = repeated
            self.restarts = restarts
        }
    }

    /// One way of a STAMP session past one sampler.
    struct SampledSession: Hashable {
        var group: UInt32?
        var direction: String?
        var kind: String
        var from: String
        var to: String
        var ssid: UInt16?
    }

    /// Samples of a session, and the range of its probes' numbers in which they are.
    struct Session {
        var samples: UInt64 = 0
        var first: UInt32 = 0
        /// How far the highest number is above the first, and the lowest below.
        var above: UInt32 = 0
        var below: UInt32 = 0
        /// What the sampler was asked for, the last that was told.
        var probability: Double?

        mutating func add(_ sequence: UInt32) {
            if samples == 0 { first = sequence }
            samples += 1
            let distance = sequence &- first
            if distance < 1 << 31 { above = max(above, distance) } else { below = max(below, 0 &- distance) }
        }

        /// Packets of the session from the first to the last that was sampled.
        var packets: UInt64 { UInt64(above) + UInt64(below) + 1 }
    }

    public private(set) var samples: UInt64 = 0
    /// Samples by group.
    public private(set) var counts: [UInt32: UInt64] = [:]
    public private(set) var stampPackets: UInt64 = 0
    /// The kernel's count of what the receive buffer had no room for.
    public var dropped: UInt64 = 0
    /// Messages that could not be read.
    public var malformed: UInt64 = 0
    public var groups: [Group] = []
    /// How long packets took through the device that sampled them.
    public private(set) var latency = SignedHistogram()
    /// From the kernel's timestamp of the sampling to the moment when the sample was read.
    public private(set) var delivery = SignedHistogram()
    /// From the time that STAMP packets carry to their sampling: on their way out, by this host's clock.
    public private(set) var sentToSampleOut = SignedHistogram()
    /// The same on their way in, from the peer's clock to this one's.
    public private(set) var sentToSampleIn = SignedHistogram()
    /// STAMP packets on their way out that were sampled before the time that they carry, which no packet can be: a clock
    /// was set, or is wrong. And the first of them.
    public private(set) var early: UInt64 = 0
    private(set) var firstEarly: SampleRecord?
    /// Rates by group: its samplers can have their own.
    private(set) var rates: [UInt32: [String]] = [:]
    private(set) var sessions: [SampledSession: Session] = [:]
    /// More sessions than this are counted as packets alone.
    private static let sessionLimit = 4096
    private static let rateLimit = 8

    /// Nothing heard yet.
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
