import LinuxKernel
import Report

/// A packet log that is being written, in whole lines that wait at most ``flushIntervalNanoseconds``.
struct LogFile: ~Copyable {
    private let file: OutputFile
    private var bytes: [UInt8] = []
    private var row = RowWriter()
    private var lastFlush: Int64
    /// The length of the whole lines in the file, in bytes.
    private var length: Int

    /// The time that a row may wait, in nanoseconds.
    static let flushIntervalNanoseconds: Int64 = 250_000_000
    private static let chunkBytes = 1 << 16

    /// Creates the file and writes its header.
    init(creating path: String, replacing: Bool) throws(ProbeError) {
        let header = Array((PacketLog.header + "\n").utf8)
        let file = try FileError.wrap(path) { () throws(SystemError) in
            let file = try OutputFile(creating: path, replacing: replacing)
            try file.write(header)
            return file
        }
        self.file = file
        length = header.count
        bytes.reserveCapacity(2 * Self.chunkBytes)
        lastFlush = 0
    }

    mutating func append(_ record: PacketRecord) throws(SystemError) {
        row.append(record, to: &bytes)
        if bytes.count >= Self.chunkBytes { try flush(lastFlush) }
    }

    /// Writes the waiting rows if they have waited for the interval.
    mutating func flush(ifDueAt now: Int64) throws(SystemError) {
        if now &- lastFlush >= Self.flushIntervalNanoseconds { try flush(now) }
    }

    mutating func flush(_ now: Int64) throws(SystemError) {
        lastFlush = now
        guard !bytes.isEmpty else { return }
        do throws(SystemError) {
            try file.write(bytes)
        } catch {
            cutToWholeLines()
            throw error
        }
        length += bytes.count
        bytes.removeAll(keepingCapacity: true)
    }

    /// Truncates the file to whole lines after a failed write: a full disk may have stored only a part of the last
    /// chunk.
    private func cutToWholeLines() {
        guard let end = file.position, end > length, end - length <= bytes.count else { return }
        let whole = bytes[..<(end - length)].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        try? file.truncate(to: length + whole)
    }
}

/// Errors about files, with the path and a remedy.
enum FileError {
    static func error(_ path: String, _ error: SystemError) -> ProbeError {
        if error.code == ErrorCode.exists {
            return .file("\(path) already exists. Use another file, or overwrite it with `--force`.")
        }
        return .file("\(path): \(error)")
    }

    static func wrap<Result: ~Copyable>(
        _ path: String, _ body: () throws(SystemError) -> Result
    ) throws(ProbeError) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw self.error(path, error)
        }
    }
}
