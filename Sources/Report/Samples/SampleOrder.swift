/// Whether a packet's sample and timestamps are in the order in which the kernel takes them.
public enum SampleOrder: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// They are, as far as they are there.
    case kept
    /// They are not, and no clock was set: a clock or a timestamp is wrong.
    case violated
    /// They are not, because this host's clock was set between two of them.
    case clockSet

    /// The label of the packet log.
    public var text: String {
        switch self {
        case .kept: "ok"
        case .violated: "violated"
        case .clockSet: "clock-set"
        }
    }
}

/// Two times of one packet by the host's clock that should be in the other order.
public struct SampleViolation: Sendable, Hashable {
    /// A moment of a packet's way through its host.
    public enum Moment: String, Sendable, Hashable {
        /// The program called the kernel.
        case send
        /// It entered the packet scheduler.
        case sched
        /// It was sampled.
        case sample
        /// The driver took it.
        case driver
        /// It entered the receiving kernel.
        case receive

        var words: String {
            switch self {
            case .send: "sent"
            case .sched: "scheduled"
            case .sample: "sampled"
            case .driver: "taken by the driver"
            case .receive: "received"
            }
        }
    }

    /// A moment and when it was: CLOCK_REALTIME, Unix nanoseconds.
    public struct Stamp: Sendable, Hashable {
        public var moment: Moment
        public var time: Int64

        /// A moment of a packet with its time.
        public init(_ moment: Moment, _ time: Int64) {
            self.moment = moment
            self.time = time
        }
    }

    /// The session's id.
    public var session: UInt64
    /// Probe or reply.
    public var packet: PacketKind
    /// The sender's sequence number.
    public var sequence: UInt32
    /// Which way it passed this host.
    public var direction: Direction
    /// What comes first on the packet's way, and has the later time.
    public var first: Stamp
    /// What comes next, and has the earlier time.
    public var second: Stamp

    /// The violation in a sentence without a full stop, with both times.
    public var text: String {
        let way = direction == .out ? "on its way out" : "on its way in"
        let (by, overflow) = first.time.subtractingReportingOverflow(second.time)
        return "\(packet.text) \(sequence) \(way) was \(second.moment.words) at \(timestampText(second.time)), "
            + "\(roundedDurationText(overflow ? .max : by)) before it was \(first.moment.words), "
            + "at \(timestampText(first.time))"
    }

    var jsonValue: JSONValue {
        .object([
            ("session", .string(sessionText(session))), ("packet", .string(packet.text)),
            ("seq", .integer(Int64(sequence))), ("direction", .string(direction.text)),
            ("first", .string(first.moment.rawValue)), ("first_ns", .integer(first.time)),
            ("second", .string(second.moment.rawValue)), ("second_ns", .integer(second.time)),
        ])
    }
}

extension PacketRecord {
    /// The first two of the packet's own times on this host that are in the wrong order: send <= SCHED <= sample on egress
    /// <= driver timestamp, and receive timestamp <= sample on ingress. nil where none are, or there is no sample.
    public func orderViolation() -> SampleViolation? {
        guard let sample else { return nil }
        let times: InlineArray<4, (SampleViolation.Moment, Int64?)> =
            switch direction {
            case .out: [(.send, transmitApp), (.sched, transmitSched), (.sample, sample), (.driver, transmitSoftware)]
            case .in: [(.receive, receiveSoftware), (.sample, sample), (.driver, nil), (.driver, nil)]
            }
        var last: SampleViolation.Stamp?
        for index in times.indices {
            guard let time = times[index].1 else { continue }
            let stamp = SampleViolation.Stamp(times[index].0, time)
            if let last, last.time > time {
                return SampleViolation(
                    session: session, packet: packet, sequence: sequence, direction: direction, first: last,
                    second: stamp)
            }
            last = stamp
        }
        return nil
    }
}
