import LinuxKernel
import Report

/// The output for the user: a line for each packet, statistics, and on a terminal a live line that is overwritten every
/// second.
struct Console: ~Copyable {
    enum Format: String, CaseIterable, Sendable {
        case text
        case json
    }

    let format: Format
    let isQuiet: Bool
    /// True if standard error is a terminal, which shows the live line.
    let isLive: Bool
    private let output: OutputFile
    private let terminal: OutputFile
    private var bytes: [UInt8] = []
    private var liveLine = ""
    private var isLiveShown = false
    /// True if the reader of standard output has closed it.
    private(set) var isClosed = false
    /// The number of lines that were dropped because the reader of standard output was too slow.
    private(set) var linesDropped: UInt64 = 0

    /// The bytes that may wait for a slow reader.
    private static let bufferLimitBytes = 4 << 20

    init(format: Format, isQuiet: Bool) throws(SystemError) {
        let output = try OutputFile.standardOutput()
        let terminal = try OutputFile.standardError()
        self.format = format
        self.isQuiet = isQuiet
        isLive = format == .text && terminal.isTerminal
        self.output = output
        self.terminal = terminal
        bytes.reserveCapacity(1 << 16)
    }

    /// True if packet lines are shown.
    var showsPackets: Bool { !isQuiet && !isClosed }

    mutating func append(_ record: PacketRecord) {
        // A reply that never existed has a row, but no line.
        guard showsPackets, record.status != .absent else { return }
        guard bytes.count < Self.bufferLimitBytes else { return linesDropped &+= 1 }
        if format == .json { PacketLine.appendJSON(record, to: &bytes) } else { PacketLine.append(record, to: &bytes) }
    }

    /// Appends a line that is treated as a packet's line: it is not shown if quiet, and dropped if the reader is too
    /// slow.
    mutating func append(line: String) {
        guard showsPackets else { return }
        guard bytes.count < Self.bufferLimitBytes else { return linesDropped &+= 1 }
        append(line)
    }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ line: StatisticsLine) {
        guard showsPackets else { return }
        append(format == .json ? line.json() : line.text())
    }

    /// Writes as much as the reader accepts, above the live line, and keeps the rest.
    ///
    /// - Parameter timeout: the time to wait for the reader, in nanoseconds.
    mutating func flush(timeout: Int64 = 0) {
        guard !bytes.isEmpty, !isClosed else { return bytes.removeAll(keepingCapacity: true) }
        if isLiveShown { clearLiveLine() }
        do throws(SystemError) {
            bytes.removeFirst(try output.write(bytes, timeout: timeout))
        } catch {
            isClosed = true
            bytes.removeAll(keepingCapacity: true)
        }
        showLiveLine()
    }

    mutating func setLiveLine(_ text: String) {
        liveLine = text
        if isLiveShown { clearLiveLine() }
        showLiveLine()
    }

    /// The number of the terminal's columns; 80 without a terminal.
    var width: Int { terminalWidth() ?? 80 }

    /// Clears the live line, before a message to standard error and at the end.
    mutating func clearLiveLine() {
        guard isLiveShown else { return }
        try? terminal.write(Array("\r\u{1b}[K".utf8))
        isLiveShown = false
    }

    private mutating func showLiveLine() {
        guard isLive, !liveLine.isEmpty else { return }
        try? terminal.write(Array(liveLine.utf8))
        isLiveShown = true
    }
}
