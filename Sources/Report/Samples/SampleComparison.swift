/// The kernel's samples of a run's packets beside the timestamps that the run took itself.
public struct SampleComparison: Sendable {
    /// What the samplers saw of the packets of one direction.
    public struct Side: Sendable {
        /// Packets of the log that passed this host in this direction, copies left out.
        public internal(set) var packets: UInt64 = 0
        /// Those of them whose sample is known.
        public internal(set) var sampled: UInt64 = 0
        /// Those of the sampled that are in order.
        public internal(set) var kept: UInt64 = 0
        /// Those that are not.
        public internal(set) var violated: UInt64 = 0
        /// Those that are not because a clock was set.
        public internal(set) var clockSet: UInt64 = 0
        /// The share of packets that the samplers say they take; nil where they say several, or none came.
        public internal(set) var probability: Double?
        /// How long the device took, where the sampler measures that: PSAMPLE_ATTR_LATENCY, nanoseconds.
        public internal(set) var latency = SignedHistogram()
        private var hasSeveral = false

        mutating func update(_ probability: Double?) {
            guard let probability, !hasSeveral else { return }
            hasSeveral = self.probability != nil && self.probability != probability
            self.probability = hasSeveral ? nil : probability
        }

        /// The standard deviation of the share that is sampled, if chance alone decides (binomial); nil where nothing says
        /// what it should be.
        public var deviation: Double? {
            guard let probability, packets > 0 else { return nil }
            return (probability * (1 - probability) / Double(packets)).squareRoot()
        }
    }

    /// What became of the samples, counted where they are heard.
    public struct Counts: Sendable, Hashable, BitwiseCopyable {
        /// Samples of the group.
        public var heard: UInt64 = 0
        /// Samples of packets of this run, here on its interface.
        public var local: UInt64 = 0
        /// Those at other interfaces, or in the other direction.
        public var elsewhere: UInt64 = 0
        /// Samples that were cut too short to tell what they are of.
        public var tooShort: UInt64 = 0
        /// Samples of the run's packets that have no time.
        public var withoutTime: UInt64 = 0
        /// Samples that did not come, wherever they were lost: gaps in the group's own count.
        public var lost: UInt64 = 0
        /// Samples and news of the group that found this program's buffer full, by the socket's own count.
        public var lostInBuffer: UInt64 = 0
        /// Messages that are none of psample's.
        public var damaged: UInt64 = 0
        /// Samples that came faster than they could be joined with their rows.
        public var dropped: UInt64 = 0
        /// Whether the socket failed in mid-run: later samples are not among these.
        public var hasFailed = false

        /// All counts zero.
        public init() {}
    }

    /// As many violations are kept for words; all are counted.
    public static let violationLimit = 8

    /// psample's group.
    public let group: UInt32
    /// Packets that this host sent.
    public private(set) var egress = Side()
    /// Packets that it received.
    public private(set) var ingress = Side()
    /// From the packet scheduler to the sampler, in nanoseconds.
    public private(set) var schedToSample = SignedHistogram()
    /// From the sampler to the driver.
    public private(set) var sampleToDriver = SignedHistogram()
    /// From the kernel's receive timestamp to the sampler.
    public private(set) var softwareToSample = SignedHistogram()
    /// The first violations.
    public private(set) var violations: [SampleViolation] = []
    /// What became of the samples where they are heard.
    public var counts = Counts()
    /// Samples of packets of the run that found no row: of probes that open and close a session, of copies, and those that
    /// came later than rows wait for them.
    public var withoutRow: UInt64 = 0
    /// Packets that were sampled on their way in and that the program never received: lost in this host.
    public private(set) var sampledLost: UInt64 = 0
    /// Second samples of one packet.
    public var repeated: UInt64 = 0

    /// Statistics of a group, without rows.
    public init(group: UInt32) { self.group = group }

    /// Adds one row, after its sample is entered or known to be missing.
    ///
    /// - Parameters:
    ///   - violation: what of its order is wrong.
    ///   - probability: the share of packets that the sample's sampler says it takes.
    public mutating func add(_ record: PacketRecord, _ violation: SampleViolation?, probability: Double?) {
        switch record.direction {
        case .out:
            guard record.transmitApp != nil, record.status != .duplicate, record.status != .corrupt else { return }
            egress.add(record, probability)
            guard record.hasComparableSample else { break }
            if let value = difference(from: record.transmitSched, to: record.sample) { schedToSample.record(value) }
            if let value = difference(from: record.sample, to: record.transmitSoftware) { sampleToDriver.record(value) }
        case .in:
            guard record.status != .duplicate, record.status != .corrupt else { return }
            guard record.receiveApp != nil || record.receiveSoftware != nil else {
                if record.sample != nil { sampledLost &+= 1 }
                return
            }
            ingress.add(record, probability)
            guard record.hasComparableSample else { break }
            if let value = difference(from: record.receiveSoftware, to: record.sample) {
                softwareToSample.record(value)
            }
        }
        if let violation, record.sampleOrder == .violated, violations.count < Self.violationLimit {
            violations.append(violation)
        }
    }

    /// Rows out of order because a clock or a timestamp is wrong.
    public var violated: UInt64 { egress.violated &+ ingress.violated }

    /// The histograms under the names that exports and JSON have for them.
    var histograms: [(metric: String, label: String, histogram: SignedHistogram)] {
        [
            ("sched_to_sample", "sched to sample", schedToSample),
            ("sample_to_driver", "sample to driver", sampleToDriver),
            ("software_to_sample", "software to sample", softwareToSample),
            ("sample_latency_out", "sample latency out", egress.latency),
            ("sample_latency_in", "sample latency in", ingress.latency),
        ]
    }

    static let metrics = SampleComparison(group: 0).histograms.map(\.metric)
}

extension PacketRecord {
    /// Whether the distances between timestamps and sample are the packet's: a clock that was set forward keeps the order, and
    /// makes one of them as long as its step.
    fileprivate var hasComparableSample: Bool { sampleOrder == .kept && clockEpoch != nil }
}

extension SampleComparison.Side {
    mutating func add(_ record: PacketRecord, _ probability: Double?) {
        packets &+= 1
        update(probability)
        guard record.sample != nil else { return }
        sampled &+= 1
        switch record.sampleOrder {
        case .violated: violated &+= 1
        case .clockSet: clockSet &+= 1
        case .kept, nil: kept &+= 1
        }
        if let value = record.sampleLatency { latency.record(value) }
    }
}
