import LinuxKernel
import Report

/// A capture file that is being written: whole blocks, at most ``flushInterval`` old.
struct CaptureFile: ~Copyable {
    private let file: OutputFile
    private var capture: PCAPNG
    private var lastFlush: Int64 = 0
    /// Bytes of whole blocks in the file.
    private var length: Int

    /// Nanoseconds that a packet may wait.
    private static let flushInterval: Int64 = 250_000_000
    private static let chunk = 1 << 16

    /// Makes the file and begins it.
    init(creating path: String, replacing: Bool) throws(ProbeError) {
        var capture = PCAPNG(application: "probe \(RunOutputs.version)")
        let bytes = capture.bytes
        capture.bytes = []
        self.capture = capture
        length = bytes.count
        file = try FileError.wrap(path) { () throws(SystemError) in
            let file = try OutputFile(creating: path, replacing: replacing)
            try file.write(bytes)
            return file
        }
    }

    mutating func append(_ record: SampleRecord, _ data: RawSpan, isEthernet: Bool) throws(SystemError) {
        // Where two interfaces are named nothing tells which of them sampled: a switch, or tc at the output of a router.
        let direction: PCAPNG.Direction =
            switch (record.input, record.output) {
            case (_?, nil): .in
            case (nil, _?): .out
            default: .unknown
            }
        let interface = capture.interface(
            record.input ?? record.output ?? "unknown", isEthernet ? .ethernet : .rawIP)
        capture.append(
            data, wholeLength: Int(record.originalSize ?? 0), interface: interface,
            time: record.timestamp ?? record.received,
            direction: direction, comment: record.comment())
        if capture.bytes.count >= Self.chunk { try flush(lastFlush) }
    }

    /// Writes what has waited long enough.
    mutating func flush(ifDueAt now: Int64) throws(SystemError) {
        if now &- lastFlush >= Self.flushInterval { try flush(now) }
    }

    mutating func flush(_ now: Int64) throws(SystemError) {
        lastFlush = now
        guard !capture.bytes.isEmpty else { return }
        do throws(SystemError) {
            try file.write(capture.bytes)
        } catch {
            cutToWholeBlocks()
            throw error
        }
        length += capture.bytes.count
        capture.bytes.removeAll(keepingCapacity: true)
    }

    /// A full disk may have taken a part of the last chunk: its last block is then cut off.
    private func cutToWholeBlocks() {
        guard let end = file.position, end > length else { return }
        try? file.truncate(to: length + PCAPNG.wholeBlocks(capture.bytes, within: end - length))
    }
}
