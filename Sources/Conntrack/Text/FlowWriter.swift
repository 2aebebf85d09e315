import LinuxKernel

/// Writes flows and events as lines to a reused buffer, so that memory use does not grow with the table.
///
///     var writer = FlowWriter(.text)
///     try table.dump { flow in
///         if writer.isFull { … writer.write(to: file) … }
///         writer.append(flow, at: ClockID.realtime.now())
///     }
///     try writer.write(to: file)
///
/// docs/conntrack.md lists the columns and JSON members.
public struct FlowWriter: ~Copyable {
    /// The format of a line.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// The format of `conntrack -L` and `conntrack -E`.
        case text
        /// One JSON object per line (RFC 8259).
        case json
        /// Comma-separated values (RFC 4180) with a header line.
        case csv
    }

    /// Fields of a text line beyond the default of `conntrack -L`.
    public struct Details: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8

        /// A set of details by its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The address family at the start, as with `conntrack -o extended`.
        public static let family = Details(rawValue: 1)
        /// The flow's id, as with `conntrack -o id`.
        public static let id = Details(rawValue: 2)
        /// The start and stop in local time, as with `conntrack -o ktimestamp`, and the time of an event.
        public static let times = Details(rawValue: 4)
    }

    public let format: Format
    public let details: Details
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private var used = 0

    /// A bound on the length of a line in bytes: every field is bounded, and a line has at most 40.
    static let longestLine = 4096

    /// Allocates the buffer.
    ///
    /// - Parameter capacity: the size of the buffer in bytes; at least 8192.
    public init(_ format: Format, _ details: Details = [], capacity: Int = 1 << 17) {
        self.format = format
        self.details = details
        buffer = .allocate(capacity: max(capacity, 2 * Self.longestLine))
        buffer.initialize(repeating: 0)
        if format == .csv { write { $0.append(Flow.csvHeader) } }
    }

    deinit { buffer.deallocate() }

    /// The buffered lines.
    public var bytes: [UInt8] { Array(buffer[..<used]) }

    /// True if the buffer must be written or cleared before the next line, which would otherwise be dropped.
    public var isFull: Bool { buffer.count - used < Self.longestLine }

    /// Appends a flow's line.
    ///
    /// - Parameters:
    ///   - event: the kind of event, in a stream of events.
    ///   - time: the time of reception, in CLOCK_REALTIME nanoseconds.
    public mutating func append(_ flow: borrowing Flow, event: FlowEvent.Kind? = nil, at time: Int64) {
        guard !isFull, let start = buffer.baseAddress else { return }
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
        guard !isFull, let start = buffer.baseAddress else { return }
        var text = ByteText(next: start + used)
        body(&text)
        used = text.next - start
    }

    /// Writes all of ``bytes`` to a file and clears the buffer, even on failure.
    ///
    /// - Throws: ``SystemError`` as ``OutputFile`` does.
    public mutating func write(to file: borrowing OutputFile) throws(SystemError) {
        defer { used = 0 }
        try file.write(buffered)
    }

    /// Writes as much of ``bytes`` as the reader accepts within `timeout` nanoseconds, and keeps the rest.
    ///
    /// - Returns: `true` if everything was written.
    /// - Throws: ``SystemError`` as ``OutputFile`` does.
    public mutating func write(to file: borrowing OutputFile, timeout: Int64) throws(SystemError) -> Bool {
        let written = try file.write(buffered, timeout: timeout)
        used -= written
        if let start = buffer.baseAddress { start.update(from: start + written, count: used) }
        return used == 0
    }

    private var buffered: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[..<used]))
    }

    /// Clears the buffer without releasing its memory.
    public mutating func clear() { used = 0 }
}

extension FlowEvent.Kind {
    /// The start of a line of `conntrack -E`.
    fileprivate var label: StaticString {
        switch self {
        case .new: "    [NEW] "
        case .update: " [UPDATE] "
        case .destroy: "[DESTROY] "
        }
    }

    /// The name in JSON and CSV.
    var name: StaticString {
        switch self {
        case .new: "new"
        case .update: "update"
        case .destroy: "destroy"
        }
    }
}

extension ByteText {
    /// Appends seconds and microseconds, as `conntrack -E -o timestamp` prints them.
    fileprivate mutating func append(eventTime time: Int64) {
        append(UInt8(ascii: "["))
        append(decimal: UInt64(clamping: time / 1_000_000_000))
        append(UInt8(ascii: "."))
        append(UInt32(truncatingIfNeeded: max(0, time) % 1_000_000_000 / 1000), digits: 6)
        append("]\t")
    }
}
