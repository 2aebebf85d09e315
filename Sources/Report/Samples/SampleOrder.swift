/// The order of a packet's sample and timestamps, compared with the order of the kernel's stages.
public enum SampleOrder: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// All that exist are in order.
    case kept
    /// Two are out of order without a clock step: a clock or a timestamp is wrong.
    case violated
    /// Two are out of order because this host's clock was set between them.
    case clockSet

    /// The label in the packet log.
    public var text: String {
        switch self {
        case .kept: "ok"
        case .violated: "violated"
        case .clockSet: "clock-set"
        }
    }
}

/// Two times of one packet, by the host's clock, in the wrong order.
public struct SampleViolation: Sendable, Hashable {
    /// A stage of a packet's path through the host.
    public enum Moment: String, Sendable, Hashable {
        /// The application's send call.
        case send
        /// The packet scheduler.
        case sched
        /// The sampler.
        case sample
        /// The driver.
        case driver
        /// The receiving kernel.
        case receive

        var words: String {
            switch self {
            case .send: "sent"
            case .sched: "scheduled"
            case .sample: "sampled"
            case .driver: "passed to the driver"
            case .receive: "received"
            }
        }
    }

    /// A stage and its time, in Unix nanoseconds of CLOCK_REALTIME.
    public struct Stamp: Sendable, Hashable {
        public var moment: Moment
        public var time: Int64

        /// Creates a stage with its time.
        public init(_ moment: Moment, _ time: Int64) {
            self.moment = moment
            self.time = time
        }
    }

    /// The session ID.
    public var session: UInt64
    /// Probe or reply.
    public var packet: PacketKind
    /// The sender's sequence number.
    public var sequence: UInt32
    /// The direction in which it passed this host.
    public var direction: Direction
    /// The earlier stage, which has the later time.
    public var first: Stamp
    /// The later stage, which has the earlier time.
    public var second: Stamp

    /// The violation as a sentence without its full stop, with both times.
    public var text: String {
        let way = direction == .out ? "outgoing" : "incoming"
        let (by, overflow) = first.time.subtractingReportingOverflow(second.time)
        return "\(way) \(packet.text) \(sequence) was \(second.moment.words) at \(timestampText(second.time)), "
            + "\(roundedDurationText(overflow ? .max : by)) before it was \(first.moment.words) "
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
    /// The first two of the packet's times on this host that are in the wrong order: send <= SCHED <= sample on egress
    /// <= driver timestamp, and receive timestamp <= sample on ingress. nil if all are in order, or without a sample.
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
