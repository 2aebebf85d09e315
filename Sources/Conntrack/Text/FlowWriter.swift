import LinuxKernel

/// Writes flows and events as lines, into one buffer that is used again: a table of any size costs no more memory.
///
///     var writer = FlowWriter(.text)
///     try table.dump { flow in
///         if writer.isFull { … writer.write(to: file) … }
///         writer.append(flow, at: ClockID.realtime.now())
///     }
///     try writer.write(to: file)
///
/// The columns and members are in docs/conntrack.md.
public struct FlowWriter: ~Copyable {
    /// The form of a line.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// In the manner of `conntrack -L` and `conntrack -E`.
        case text
        /// An object on each line (RFC 8259).
        case json
        /// Comma-separated values (RFC 4180) with a header line.
        case csv
    }

    /// What a line of text says beyond what `conntrack -L` says unasked.
    public struct Details: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8

        /// Details by their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The address family in front, as of `conntrack -o extended`.
        public static let family = Details(rawValue: 1)
        /// The flow's id, as of `conntrack -o id`.
        public static let id = Details(rawValue: 2)
        /// Start and stop in local time, as of `conntrack -o ktimestamp`, and an event's own time.
        public static let times = Details(rawValue: 4)
    }

    public let format: Format
    public let details: Details
    private let room: UnsafeMutableBufferPointer<UInt8>
    private var used = 0

    /// More than the longest line: every field has a bound, and no line has more than 40 of them.
    static let longestLine = 4096

    /// - Parameter capacity: bytes of the buffer, which is made once; at least 8192.
    public init(_ format: Format, _ details: Details = [], capacity: Int = 1 << 17) {
        self.format = format
        self.details = details
        room = .allocate(capacity: max(capacity, 2 * Self.longestLine))
        room.initialize(repeating: 0)
        if format == .csv { write { $0.append(Flow.csvHeader) } }
    }

    deinit { room.deallocate() }

    /// What has been gathered: whole lines.
    public var bytes: [UInt8] { Array(room[..<used]) }

    /// Whether the buffer must be written or cleared before the next line, which would be left out otherwise.
    public var isFull: Bool { room.count - used < Self.longestLine }

    /// Appends a flow's line.
    ///
    /// - Parameters:
    ///   - event: what has happened to it, in a stream of events.
    ///   - time: when it was told: CLOCK_REALTIME, nanoseconds.
    public mutating func append(_ flow: borrowing Flow, event: FlowEvent.Kind? = nil, at time: Int64) {
        guard !isFull, let start = room.baseAddress else { return }
        var text = ByteText(next: start + used)
        switch format {
        case .text:
            if let event {
                if details.contains(.times) { text.append(eventTime: time) }
                text.append(event.label)
            }
            flow.appendText(to: &text, details, now: time)
        case .json: flow.appendJSON(to: &text, event: event, at: time)
        case .csv: flow.appendCSV(to: &text, event: event, at: time)
        }
        used = text.next - start
    }

    private mutating func write(_ body: (inout ByteText) -> Void) {
        guard !isFull, let start = room.baseAddress else { return }
        var text = ByteText(next: start + used)
        body(&text)
        used = text.next - start
    }

    /// Writes all of ``bytes`` to a file, and forgets them, also where that fails.
    ///
    /// - Throws: ``SystemError`` as ``OutputFile`` does.
    public mutating func write(to file: borrowing OutputFile) throws(SystemError) {
        defer { used = 0 }
        try file.write(gathered)
    }

    /// Writes as much of ``bytes`` as a reader takes within `timeout` nanoseconds, and keeps the rest.
    ///
    /// - Returns: whether that was all.
    /// - Throws: ``SystemError`` as ``OutputFile`` does.
    public mutating func write(to file: borrowing OutputFile, timeout: Int64) throws(SystemError) -> Bool {
        let written = try file.write(gathered, timeout: timeout)
        used -= written
        if let start = room.baseAddress { start.update(from: start + written, count: used) }
        return used == 0
    }

    private var gathered: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: room[..<used]))
    }

    /// Forgets what has been gathered, and keeps the room.
    public mutating func clear() { used = 0 }
}

extension FlowEvent.Kind {
    /// As `conntrack -E` begins a line.
    fileprivate var label: StaticString {
        switch self {
        case .new: "    [NEW] "
        case .update: " [UPDATE] "
        case .destroy: "[DESTROY] "
        }
    }

    /// As JSON and CSV have it.
    var name: StaticString {
        switch self {
        case .new: "new"
        case .update: "update"
        case .destroy: "destroy"
        }
    }
}

extension ByteText {
    /// Seconds and microseconds, as `conntrack -E -o timestamp` has them.
    fileprivate mutating func append(eventTime time: Int64) {
        append(UInt8(ascii: "["))
        append(decimal: UInt64(clamping: time / 1_000_000_000))
        append(UInt8(ascii: "."))
        append(UInt32(truncatingIfNeeded: max(0, time) % 1_000_000_000 / 1000), digits: 6)
        append("]\t")
    }
}
