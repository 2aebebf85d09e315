import LinuxKernel
import Report

/// A packet log that is being written: whole lines, at most ``flushInterval`` old.
struct LogFile: ~Copyable {
    private let file: OutputFile
    private var bytes: [UInt8] = []
    private var row = RowWriter()
    private var lastFlush: Int64
    /// Bytes of whole lines in the file.
    private var length: Int

    /// Nanoseconds that a row may wait.
    static let flushInterval: Int64 = 250_000_000
    private static let chunk = 1 << 16

    /// Makes the file and writes its header.
    init(creating path: String, replacing: Bool) throws(ProbeError) {
        let header = Array((PacketLog.header + "\n").utf8)
        let file = try FileError.wrap(path) { () throws(SystemError) in
            let file = try OutputFile(creating: path, replacing: replacing)
            try file.write(header)
            return file
        }
        self.file = file
        length = header.count
        bytes.reserveCapacity(2 * Self.chunk)
        lastFlush = 0
    }

    mutating func append(_ record: PacketRecord) throws(SystemError) {
        row.append(record, to: &bytes)
        if bytes.count >= Self.chunk { try flush(lastFlush) }
    }

    /// Writes what has waited long enough.
    mutating func flush(ifDueAt now: Int64) throws(SystemError) {
        if now &- lastFlush >= Self.flushInterval { try flush(now) }
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

    /// A full disk may have taken a part of the last chunk: its last line is then cut, and no reader wants that.
    private func cutToWholeLines() {
        guard let end = file.position, end > length, end - length <= bytes.count else { return }
        let whole = bytes[..<(end - length)].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        try? file.truncate(to: length + whole)
    }
}

/// Names the file in an error, and what to do.
enum FileError {
    static func error(_ path: String, _ error: SystemError) -> ProbeError {
        if error.code == ErrorCode.exists {
            return .file("\(path) exists already. Name another file, or overwrite it with `--force`.")
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
