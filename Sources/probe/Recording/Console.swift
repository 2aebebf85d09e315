import LinuxKernel
import Report

/// What the user sees: a line for each packet, statistics, and on a terminal a live line that each second overwrites.
struct Console: ~Copyable {
    enum Format: String, CaseIterable, Sendable {
        case text
        case json
    }

    let format: Format
    let isQuiet: Bool
    /// Whether there is a terminal for the live line.
    let isLive: Bool
    private let output: OutputFile
    private let terminal: OutputFile
    private var bytes: [UInt8] = []
    private var liveLine = ""
    private var isLiveShown = false
    /// The reader of standard output has gone.
    private(set) var isClosed = false
    /// Lines left out because the reader of standard output was too slow.
    private(set) var linesDropped: UInt64 = 0

    /// What may wait for a slow reader, in bytes.
    private static let limit = 4 << 20

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

    /// Whether packet lines are wanted at all.
    var showsPackets: Bool { !isQuiet && !isClosed }

    mutating func append(_ record: PacketRecord) {
        // A reply that never was has a row, but there is nothing to show.
        guard showsPackets, record.status != .absent else { return }
        guard bytes.count < Self.limit else { return linesDropped &+= 1 }
        if format == .json { PacketLine.appendJSON(record, to: &bytes) } else { PacketLine.append(record, to: &bytes) }
    }

    /// A line for one thing of many, as packets' lines are: left out where nobody wants them or reads them in time.
    mutating func append(line: String) {
        guard showsPackets else { return }
        guard bytes.count < Self.limit else { return linesDropped &+= 1 }
        append(line)
    }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ line: StatisticsLine) {
        guard showsPackets else { return }
        append(format == .json ? line.json() : line.text())
    }

    /// Writes what the reader takes, above the live line. The rest waits.
    ///
    /// - Parameter timeout: how long the reader may take for the next part, in nanoseconds.
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

    /// The columns of the terminal, 80 without one.
    var width: Int { terminalWidth() ?? 80 }

    /// Takes the live line away: for a message to standard error, and at the end.
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
