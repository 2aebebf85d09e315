/// A packet that the kernel has sampled. Values that the kernel did not report are `nil`.
public struct SampleRecord: Sendable {
    /// A STAMP packet in a sample.
    public struct STAMPPacket: Sendable {
        /// "probe" or "reply".
        public var kind: String
        public var source: String
        public var sourcePort: UInt16
        public var destination: String
        public var destinationPort: UInt16
        /// The packet's sequence number.
        public var sequence: UInt32
        /// The sequence number of the probe, or of the probe that the reply answers.
        public var probeSequence: UInt32?
        public var ssid: UInt16?
        /// The send time that the packet carries, by its sender's clock, in nanoseconds since the Unix epoch.
        public var sent: Int64?

        /// Creates a packet from its fields.
        public init(
            kind: String, source: String, sourcePort: UInt16, destination: String, destinationPort: UInt16,
            sequence: UInt32, probeSequence: UInt32?, ssid: UInt16?, sent: Int64? = nil
        ) {
            self.kind = kind
            self.source = source
            self.sourcePort = sourcePort
            self.destination = destination
            self.destinationPort = destinationPort
            self.sequence = sequence
            self.probeSequence = probeSequence
            self.ssid = ssid
            self.sent = sent
        }
    }

    /// The time when the sample was read, in nanoseconds since the Unix epoch.
    public var received: Int64
    /// The time of sampling, in nanoseconds since the Unix epoch.
    public var timestamp: Int64?
    public var group: UInt32?
    public var sequence: UInt32?
    /// The number of the group's samples that are missing before this one.
    public var missed: UInt32 = 0
    public var rate: UInt32?
    /// True if ``rate`` is a probability out of 2^32 - 1, false if it is one packet in `rate`.
    public var isProbability = false
    /// The name of the input interface.
    public var input: String?
    /// The name of the output interface.
    public var output: String?
    /// The length of the whole packet, in bytes.
    public var originalSize: UInt32?
    /// The length of the part that was captured, in bytes.
    public var capturedSize = 0
    /// The latency through the sampling device, in nanoseconds.
    public var latency: UInt64?
    public var trafficClass: UInt16?
    /// The occupancy of the traffic class's queue, in bytes.
    public var occupancy: UInt64?
    /// The packet's EtherType.
    public var protocolNumber: UInt16?
    public var cookie: [UInt8]?
    /// The tunnel's keys and their values.
    public var tunnel: [(key: String, value: JSONValue)]?
    public var stamp: STAMPPacket?

    /// Creates a sample without any value of the kernel's.
    public init(received: Int64) { self.received = received }

    /// "in", "out", or "through" for a packet that a switch forwarded; nil if no interface is named.
    public var direction: String? {
        switch (input, output) {
        case (nil, nil): nil
        case (_, nil): "in"
        case (nil, _): "out"
        default: "through"
        }
    }

    /// The time from a STAMP packet's send time to its sampling, in nanoseconds. For an outgoing packet both times are
    /// of this host's clock, so it cannot be negative; for an incoming packet they are of two clocks.
    public var sinceSent: Int64? {
        guard let sent = stamp?.sent, let timestamp else { return nil }
        let (distance, overflow) = timestamp.subtractingReportingOverflow(sent)
        return overflow ? nil : distance
    }

    /// The share of packets that is sampled; nil if the kernel does not report it, or reports a rate of 0.
    var probability: Double? {
        guard let rate else { return nil }
        if isProbability { return Double(rate) / Double(UInt32.max) }
        return rate == 0 ? nil : 1 / Double(rate)
    }

    /// "1/10", or "0.25" for a probability.
    public static func rateText(_ rate: UInt32, isProbability: Bool) -> String {
        guard isProbability else { return "1/\(rate)" }
        let millionths = (UInt64(rate) * 1_000_000 + UInt64(UInt32.max) / 2) / UInt64(UInt32.max)
        return fixedPointText(millionths, decimals: 6)
    }

    /// The comment of the packet in a capture file: the kernel's values with their names and units.
    public func comment() -> String {
        var words: [String] = []
        func add(_ name: String, _ value: (some CustomStringConvertible)?, _ unit: String = "") {
            if let value { words.append("\(name) \(value)\(unit)") }
        }
        add("group", group)
        add("sequence", sequence)
        if missed > 0 { add("missed", missed) }
        add("rate", rate.map { Self.rateText($0, isProbability: isProbability) })
        add("in", input)
        add("out", output)
        add("latency", latency, " ns")
        add("out_tc", trafficClass)
        add("occupancy", occupancy)
        add("cookie", cookie.map(hexadecimalText))
        if let tunnel { words.append("tunnel" + tunnel.map { " \($0.key) \($0.value.plain)" }.joined()) }
        return words.joined(separator: " ")
    }
}

/// Two lower-case digits for each byte.
func hexadecimalText(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.flatMap { [hexadecimalDigit($0 >> 4), hexadecimalDigit($0 & 15)] }, as: UTF8.self)
}

extension JSONValue {
    /// A string without its quotes.
    fileprivate var plain: String {
        if case .string(let text) = self { return text }
        return compact
    }
}
