import LinuxKernel
import Report

/// A pcapng file that is written in whole blocks, within ``flushInterval`` of each packet.
struct CaptureFile: ~Copyable {
    private let file: OutputFile
    private var capture: PCAPNG
    private var lastFlush: Int64 = 0
    /// The length of the whole blocks in the file, in bytes.
    private var length: Int

    /// The longest time that a packet stays in the buffer, in nanoseconds.
    private static let flushInterval: Int64 = 250_000_000
    private static let chunk = 1 << 16

    /// Creates the file and writes its header.
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
        // If the sample names both interfaces, the sampling one is unknown: a switch, or tc on the output of a router.
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

    /// Writes the buffered blocks if the flush interval has passed.
    mutating func flush(ifDueAt now: Int64) throws(SystemError) {
        if now &- lastFlush >= Self.flushInterval { try flush(now) }
    }

    /// Writes the buffered blocks.
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

    /// Truncates the file to whole blocks, after a full disk has accepted only a part of the last chunk.
    private func cutToWholeBlocks() {
        guard let end = file.position, end > length else { return }
        try? file.truncate(to: length + PCAPNG.wholeBlocks(capture.bytes, within: end - length))
    }
}
