/// One packet that the kernel has sampled, as it is shown. What is `nil` the kernel did not say.
public struct SampleRecord: Sendable {
    /// A STAMP packet that was found in a sample.
    public struct STAMPPacket: Sendable {
        /// "probe" or "reply".
        public var kind: String
        public var source: String
        public var sourcePort: UInt16
        public var destination: String
        public var destinationPort: UInt16
        /// Its own number.
        public var sequence: UInt32
        /// The number of the probe that it is or answers.
        public var probeSequence: UInt32?
        public var ssid: UInt16?
        /// When its sender says that it sent it, by the sender's clock: nanoseconds since the Unix epoch.
        public var sent: Int64?

        /// A packet as it was found.
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

    /// When it was read, in nanoseconds since the Unix epoch.
    public var received: Int64
    /// When the kernel took it, in nanoseconds since the Unix epoch.
    public var timestamp: Int64?
    public var group: UInt32?
    public var sequence: UInt32?
    /// Numbers of its group before it that had not come.
    public var missed: UInt32 = 0
    public var rate: UInt32?
    /// Whether ``rate`` is a probability out of 2^32 - 1.
    public var isProbability = false
    /// Names of interfaces.
    public var input: String?
    public var output: String?
    /// Bytes of the whole packet.
    public var originalSize: UInt32?
    /// Bytes that the sample has of it.
    public var capturedSize = 0
    public var latency: UInt64?
    public var trafficClass: UInt16?
    /// Bytes.
    public var occupancy: UInt64?
    /// The packet's EtherType.
    public var protocolNumber: UInt16?
    public var cookie: [UInt8]?
    /// The tunnel's keys and their values.
    public var tunnel: [(key: String, value: JSONValue)]?
    public var stamp: STAMPPacket?

    /// A sample of which the kernel said nothing.
    public init(received: Int64) { self.received = received }

    /// "in", "out", or both for what a switch passed on; nil where no interface is named.
    public var direction: String? {
        switch (input, output) {
        case (nil, nil): nil
        case (_, nil): "in"
        case (nil, _): "out"
        default: "through"
        }
    }

    /// From the time that a STAMP packet carries to its sampling, in nanoseconds: on its way out both are of this host's
    /// clock, and the second can't be the earlier one; on its way in they are of two clocks.
    public var sinceSent: Int64? {
        guard let sent = stamp?.sent, let timestamp else { return nil }
        let (distance, overflow) = timestamp.subtractingReportingOverflow(sent)
        return overflow ? nil : distance
    }

    /// The share of packets that is sampled; nil where the kernel does not say, or says 1 of 0.
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

    /// What the kernel said, for the comment beside a packet in a capture: names, values and units.
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
