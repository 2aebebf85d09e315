/// Reads packet logs: columns by name in any order, unknown ones ignored, missing ones absent in every record.
///
/// Bytes are given in pieces of any size with `read(_:each:damaged:)`, and `finish()` tells whether the last line was
/// whole. The reader keeps no more than one line. A damaged line costs that line alone: the reader continues behind it.
public struct PacketLogReader: Sendable {
    /// Longer lines are no rows: the longest that is written is far shorter, and a reader must be bounded.
    static let lineLimit = 16_384

    private var columns: ColumnPlaces?
    private var held: [UInt8] = []
    private var skipping = false
    private var line = 1

    /// A reader at the start of a log.
    public init() {}

    /// All records of a whole log.
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

    /// Reads the next piece of the log: calls `each` for every row that is complete with it, and `damaged` with the
    /// reason for every line that is no row.
    ///
    /// - Throws: `PacketLogError` for a header line without which no row can be read.
    public mutating func read(
        _ bytes: [UInt8], each: (PacketRecord) -> Void, damaged: (PacketLogError) -> Void
    ) throws(PacketLogError) {
        var start = 0
        for end in bytes.indices where bytes[end] == UInt8(ascii: "\n") {
            defer { start = end + 1 }
            let piece = bytes[start..<end]
            defer { line += 1 }
            if skipping {
                skipping = false
            } else if held.isEmpty {
                try handle(piece, each, damaged)
            } else {
                held.append(contentsOf: piece)
                let whole = held
                held.removeAll(keepingCapacity: true)
                try handle(whole[...], each, damaged)
            }
        }
        guard !skipping else { return }
        held.append(contentsOf: bytes[start...])
        if held.count > Self.lineLimit {
            held.removeAll()
            skipping = true
            try reject(.lineTooLong(line: line, limit: Self.lineLimit), damaged)
        }
    }

    /// Ends the log.
    ///
    /// - Throws: `cutLine` if bytes without a line end are left, `noHeader` if there was no header line.
    public func finish() throws(PacketLogError) {
        if !held.isEmpty || skipping { throw .cutLine(line: line) }
        if columns == nil { throw .noHeader }
    }

    private mutating func handle(
        _ text: ArraySlice<UInt8>, _ each: (PacketRecord) -> Void, _ damaged: (PacketLogError) -> Void
    ) throws(PacketLogError) {
        var text = text
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        guard text.count <= Self.lineLimit else {
            return try reject(.lineTooLong(line: line, limit: Self.lineLimit), damaged)
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

    /// A damaged row is reported and passed over; a damaged header leaves no row that could be read.
    private func reject(
        _ error: PacketLogError, _ damaged: (PacketLogError) -> Void
    ) throws(PacketLogError) {
        if columns == nil { throw error }
        damaged(error)
    }
}
