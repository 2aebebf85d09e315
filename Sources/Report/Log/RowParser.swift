/// Turns the fields of one line into a record.
struct RowParser: PacketLogVisitor {
    private let line: Int
    private let places: ColumnPlaces
    private let text: ArraySlice<UInt8>
    /// The index at which each field begins, followed by that at which another field would begin.
    private var starts: [Int] = []
    private var column = 0
    /// The first field that its column does not allow.
    private var error: PacketLogError?

    /// The record of a line, without its line end.
    ///
    /// - Throws: ``PacketLogError`` for the first field, in the order of the columns, that its column does not allow.
    static func record(
        _ text: ArraySlice<UInt8>, _ places: ColumnPlaces, line: Int
    ) throws(PacketLogError) -> PacketRecord {
        var parser = RowParser(text, places, line)
        guard parser.starts.count - 1 == places.fieldCount else {
            throw .fieldCount(line: line, expected: places.fieldCount, found: parser.starts.count - 1)
        }
        var record = PacketRecord(session: 0, packet: .probe, sequence: 0, direction: .out)
        record.visitColumns(&parser)
        if let error = parser.error { throw error }
        return record
    }

    private init(_ text: ArraySlice<UInt8>, _ places: ColumnPlaces, _ line: Int) {
        self.text = text
        self.places = places
        self.line = line
        starts.reserveCapacity(places.fieldCount + 1)
        starts.append(text.startIndex)
        for index in text.indices where text[index] == UInt8(ascii: ",") { starts.append(index + 1) }
        starts.append(text.endIndex + 1)
    }

    /// The field of the column that is visited; nil where the log does not have it.
    private mutating func next() -> ArraySlice<UInt8>? {
        defer { column += 1 }
        guard let field = places.fields[column] else { return nil }
        return text[starts[field]..<(starts[field + 1] - 1)]
    }

    private mutating func reject(_ name: String, _ field: ArraySlice<UInt8>, _ expected: String) {
        error = error ?? .field(line: line, column: name, text: quotable(field), expected: expected)
    }

    private mutating func parse<Value: FixedWidthInteger>(_ name: String, _ field: ArraySlice<UInt8>) -> Value? {
        guard let value: Value = parseDecimal(field) else {
            reject(name, field, "an integer from \(Value.min) to \(Value.max)")
            return nil
        }
        return value
    }

    private mutating func parse<Label: LogLabel>(_ name: String, _ field: ArraySlice<UInt8>) -> Label? {
        for label in Label.allCases where label.text.utf8.elementsEqual(field) { return label }
        let words = Label.allCases.map(\.text).filter { !$0.isEmpty }
        reject(name, field, "one of " + words.joined(separator: ", "))
        return nil
    }

    mutating func session(_ name: String, _ value: inout UInt64) {
        guard let field = next() else { return }
        guard let session = parseSession(field) else { return reject(name, field, "16 hexadecimal digits") }
        value = session
    }

    mutating func required<Value: FixedWidthInteger>(_ name: String, _ value: inout Value) {
        guard let field = next() else { return }
        guard !field.isEmpty else { return reject(name, field, "a value") }
        value = parse(name, field) ?? value
    }

    mutating func integer<Value: FixedWidthInteger>(_ name: String, _ value: inout Value?) {
        guard let field = next() else { return }
        value = field.isEmpty ? nil : parse(name, field)
    }

    mutating func required<Label: LogLabel>(_ name: String, _ value: inout Label) {
        guard let field = next() else { return }
        value = parse(name, field) ?? value
    }

    mutating func label<Label: LogLabel>(_ name: String, _ value: inout Label?) {
        guard let field = next() else { return }
        value = field.isEmpty ? nil : parse(name, field)
    }

    mutating func peer(_ name: String, _ value: inout PeerAddress?) {
        guard let field = next() else { return }
        value = field.isEmpty ? nil : PeerAddress(String(decoding: field, as: UTF8.self))
        if !field.isEmpty, value == nil { reject(name, field, "an IP or a MAC address") }
    }

    mutating func derived(_ name: String, _ value: Int64?) { _ = next() }
}

/// Where a log's header has the columns that are known.
struct ColumnPlaces: Sendable {
    /// The number of fields of a row.
    let fieldCount: Int
    /// The field of each known column, in the order in which columns are visited; nil where the log does not have it.
    let fields: [Int?]

    /// Reads the header line, without its line end.
    ///
    /// - Throws: ``PacketLogError`` where a column is missing without which there are no rows, or is there twice.
    init(header: ArraySlice<UInt8>) throws(PacketLogError) {
        if header.isEmpty { throw .noHeader }
        let names = header.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        fieldCount = names.count
        var fields: [Int?] = []
        for column in PacketLogColumn.all {
            let found = names.indices.filter { names[$0] == column.name }
            if found.count > 1 { throw .repeatedColumn(column.name) }
            if found.isEmpty, column.isRequired { throw .missingColumn(column.name) }
            fields.append(found.first)
        }
        self.fields = fields
    }
}
