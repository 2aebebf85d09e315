/// Reads packet logs: columns by name in any order, unknown ones ignored, missing ones absent in every record.
///
/// Bytes are given in pieces of any size with `read(_:each:)`, and `finish()` tells whether the last line was whole.
/// The reader keeps no more than one line. After an error the rest of that piece is not read.
public struct PacketLogReader: Sendable {
    /// Longer lines are no rows: the longest that is written has fewer than 512 bytes, and a reader must be bounded.
    static let lineLimit = 16_384

    private var columns: [PacketLogColumn?]?
    private var held: [UInt8] = []
    private var skipping = false
    private var line = 1

    /// A reader at the start of a log.
    public init() {}

    /// All records of a whole log.
    ///
    /// - Throws: `PacketLogError` with the line; `cutLine` if the last line has no line end.
    public static func records(in bytes: [UInt8]) throws(PacketLogError) -> [PacketRecord] {
        var reader = PacketLogReader()
        var records: [PacketRecord] = []
        try reader.read(bytes) { records.append($0) }
        try reader.finish()
        return records
    }

    /// Reads the next piece of the log and calls `each` for every row that is complete with it.
    ///
    /// - Throws: `PacketLogError` for the first line that is wrong; rows before it have been given to `each`.
    public mutating func read(_ bytes: [UInt8], each: (PacketRecord) -> Void) throws(PacketLogError) {
        var start = 0
        for end in bytes.indices where bytes[end] == UInt8(ascii: "\n") {
            defer { start = end + 1 }
            let piece = bytes[start..<end]
            defer { line += 1 }
            if skipping {
                skipping = false
            } else if held.isEmpty {
                try take(piece, each)
            } else {
                held.append(contentsOf: piece)
                let whole = held
                held.removeAll(keepingCapacity: true)
                try take(whole[...], each)
            }
        }
        let rest = bytes[start...]
        guard !skipping else { return }
        held.append(contentsOf: rest)
        if held.count > Self.lineLimit {
            held.removeAll()
            skipping = true
            throw .lineTooLong(line: line, limit: Self.lineLimit)
        }
    }

    /// Ends the log.
    ///
    /// - Throws: `cutLine` if bytes without a line end are left, `noHeader` if there was no header line.
    public func finish() throws(PacketLogError) {
        if !held.isEmpty || skipping { throw .cutLine(line: line) }
        if columns == nil { throw .noHeader }
    }

    private mutating func take(_ text: ArraySlice<UInt8>, _ each: (PacketRecord) -> Void) throws(PacketLogError) {
        var text = text
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        guard text.count <= Self.lineLimit else { throw .lineTooLong(line: line, limit: Self.lineLimit) }
        guard let columns else {
            self.columns = try Self.header(text)
            return
        }
        if text.isEmpty { return }
        each(try RowParser(line: line, columns: columns).record(text))
    }

    private static func header(_ text: ArraySlice<UInt8>) throws(PacketLogError) -> [PacketLogColumn?] {
        var columns: [PacketLogColumn?] = []
        for field in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let column = PacketLogColumn(rawValue: String(decoding: field, as: UTF8.self))
            if let column, columns.contains(column) { throw .repeatedColumn(column.rawValue) }
            columns.append(column)
        }
        if text.isEmpty { throw .noHeader }
        for column in PacketLogColumn.required where !columns.contains(column) {
            throw .missingColumn(column.rawValue)
        }
        return columns
    }
}
