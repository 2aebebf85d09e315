/// The comparison of a run's timestamps with the kernel's samples of its packets.
public struct SampleComparison: Sendable {
    /// The samples of packets in one direction.
    public struct Side: Sendable {
        /// Packets of the log that passed this host in this direction, without duplicates.
        public internal(set) var packets: UInt64 = 0
        /// Packets with a matched sample.
        public internal(set) var sampled: UInt64 = 0
        /// Sampled packets whose sample and timestamps are in order.
        public internal(set) var kept: UInt64 = 0
        /// Sampled packets that are out of order.
        public internal(set) var violated: UInt64 = 0
        /// Sampled packets that are out of order because of a clock step.
        public internal(set) var clockSet: UInt64 = 0
        /// The share of packets that the samplers report to sample; nil if they report different shares, or without
        /// samples.
        public internal(set) var probability: Double?
        /// The latency through the sampling device, in nanoseconds, if the sampler measures it: PSAMPLE_ATTR_LATENCY.
        public internal(set) var latency = SignedHistogram()
        private var hasSeveral = false

        mutating func update(_ probability: Double?) {
            guard let probability, !hasSeveral else { return }
            hasSeveral = self.probability != nil && self.probability != probability
            self.probability = hasSeveral ? nil : probability
        }

        /// The standard deviation of the sampled share under random (binomial) sampling; nil if the expected share is
        /// unknown.
        public var deviation: Double? {
            guard let probability, packets > 0 else { return nil }
            return (probability * (1 - probability) / Double(packets)).squareRoot()
        }
    }

    /// Counts of samples, made when they are received.
    public struct Counts: Sendable, Hashable, BitwiseCopyable {
        /// Samples of the group.
        public var heard: UInt64 = 0
        /// Samples of packets of this run on its interface.
        public var local: UInt64 = 0
        /// Samples of packets of this run on other interfaces, or in the other direction.
        public var elsewhere: UInt64 = 0
        /// Samples that were truncated before the fields that identify their packet.
        public var tooShort: UInt64 = 0
        /// Samples of this run's packets without a timestamp.
        public var withoutTime: UInt64 = 0
        /// Samples that were lost anywhere, by gaps in the group's sequence numbers.
        public var lost: UInt64 = 0
        /// Notifications of the group that were lost to a full receive buffer, as counted by the socket.
        public var lostInBuffer: UInt64 = 0
        /// Malformed messages.
        public var damaged: UInt64 = 0
        /// Samples that were dropped because they arrived faster than they could be matched.
        public var dropped: UInt64 = 0
        /// True if receiving failed during the run; later samples are not counted.
        public var hasFailed = false

        /// Creates counts of zero.
        public init() {}
    }

    /// The number of violations that are kept. All are counted.
    public static let violationLimit = 8

    /// The psample group.
    public let group: UInt32
    /// Packets that this host sent.
    public private(set) var egress = Side()
    /// Packets that this host received.
    public private(set) var ingress = Side()
    /// Times from the packet scheduler to the sampler, in nanoseconds.
    public private(set) var schedToSample = SignedHistogram()
    /// Times from the sampler to the driver, in nanoseconds.
    public private(set) var sampleToDriver = SignedHistogram()
    /// Times from the kernel receive timestamp to the sampler, in nanoseconds.
    public private(set) var softwareToSample = SignedHistogram()
    /// The first violations.
    public private(set) var violations: [SampleViolation] = []
    /// The counts of received samples.
    public var counts = Counts()
    /// Unmatched samples of the run's packets: of probes that open and close a session, of duplicates, and samples that
    /// arrived after their row's timeout.
    public var withoutRow: UInt64 = 0
    /// Packets that were sampled on receipt but never reached the application: lost within this host.
    public private(set) var sampledLost: UInt64 = 0
    /// Repeated samples of one packet.
    public var repeated: UInt64 = 0

    /// Creates the comparison for a group, without rows.
    public init(group: UInt32) { self.group = group }

    /// Adds one row, after it was matched with its sample or its sample was given up.
    ///
    /// - Parameters:
    ///   - violation: the violation of its order, if there is one.
    ///   - probability: the share of packets that the sample's sampler reports to sample.
    public mutating func add(_ record: PacketRecord, _ violation: SampleViolation?, probability: Double?) {
        switch record.direction {
        case .out:
            guard record.transmitApp != nil, ![.duplicate, .corrupt, .notSent].contains(record.status) else { return }
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

    /// The number of rows that are out of order because a clock or a timestamp is wrong.
    public var violated: UInt64 { egress.violated &+ ingress.violated }

    /// The histograms under their names in exports and JSON, and their labels in text.
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
    /// True if the times between timestamps and sample are valid. A forward clock step does not change the order, but
    /// adds the step to one of them.
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
