/// Reads packet logs: columns by name in any order, unknown ones ignored, missing ones absent in every record.
///
/// Pass the bytes in pieces of any size to `read(_:each:damaged:)`, then call `finish()`, which checks that the last
/// line is complete. The reader keeps at most one line. It skips damaged lines.
public struct PacketLogReader: Sendable {
    /// The largest length of a line in bytes. The longest row is far shorter; the limit bounds the reader's memory.
    static let maximumLineBytes = 16_384

    private var columns: ColumnPlaces?
    private var partialLine: [UInt8] = []
    private var isSkippingLine = false
    private var line = 1

    /// Creates a reader at the start of a log.
    public init() {}

    /// Returns all records of a complete log.
    ///
    /// - Throws: `PacketLogError` with the line, for the first line that is damaged; `cutLine` if the last line has no
    ///   line end.
    public static func records(in bytes: [UInt8]) throws(PacketLogError) -> [PacketRecord] {
        var reader = PacketLogReader()
        var records: [PacketRecord] = []
        var first: PacketLogError?
        try reader.read(bytes, each: { records.append($0) }, damaged: { first = first ?? $0 })
        if let first { throw first }
        try reader.finish()
        return records
    }

    /// Reads the next piece of the log: calls `each` for every row that it completes, and `damaged` with the error of
    /// every line that is not a row.
    ///
    /// - Throws: `PacketLogError` for an invalid header line, without which no row can be read.
    public mutating func read(
        _ bytes: [UInt8], each: (PacketRecord) -> Void, damaged: (PacketLogError) -> Void
    ) throws(PacketLogError) {
        var start = 0
        for end in bytes.indices where bytes[end] == UInt8(ascii: "\n") {
            defer { start = end + 1 }
            let piece = bytes[start..<end]
            defer { line += 1 }
            if isSkippingLine {
                isSkippingLine = false
            } else if partialLine.isEmpty {
                try handle(piece, each, damaged)
            } else {
                partialLine.append(contentsOf: piece)
                let whole = partialLine
                partialLine.removeAll(keepingCapacity: true)
                try handle(whole[...], each, damaged)
            }
        }
        guard !isSkippingLine else { return }
        partialLine.append(contentsOf: bytes[start...])
        if partialLine.count > Self.maximumLineBytes {
            partialLine.removeAll()
            isSkippingLine = true
            try reject(.lineTooLong(line: line, limit: Self.maximumLineBytes), damaged)
        }
    }

    /// Ends the log.
    ///
    /// - Throws: `cutLine` if bytes without a line end are left, `noHeader` if there was no header line.
    public func finish() throws(PacketLogError) {
        if !partialLine.isEmpty || isSkippingLine { throw .cutLine(line: line) }
        if columns == nil { throw .noHeader }
    }

    private mutating func handle(
        _ text: ArraySlice<UInt8>, _ each: (PacketRecord) -> Void, _ damaged: (PacketLogError) -> Void
    ) throws(PacketLogError) {
        var text = text
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        guard text.count <= Self.maximumLineBytes else {
            return try reject(.lineTooLong(line: line, limit: Self.maximumLineBytes), damaged)
        }
        guard let columns else {
            self.columns = try ColumnPlaces(header: text)
            return
        }
        if text.isEmpty { return }
        let record: PacketRecord
        do throws(PacketLogError) {
            record = try RowParser.record(text, columns, line: line)
        } catch {
            return damaged(error)
        }
        each(record)
    }

    /// Reports a damaged row, or throws the error if the header is damaged: without it no row can be read.
    private func reject(
        _ error: PacketLogError, _ damaged: (PacketLogError) -> Void
    ) throws(PacketLogError) {
        if columns == nil { throw error }
        damaged(error)
    }
}
