/// Parses the fields of one line into a record.
struct RowParser {
    let line: Int
    let columns: [PacketLogColumn?]

    func record(_ text: ArraySlice<UInt8>) throws(PacketLogError) -> PacketRecord {
        var record = PacketRecord(session: 0, packet: .probe, sequence: 0, direction: .out)
        var start = text.startIndex
        var found = 0
        while true {
            let end = text[start...].firstIndex(of: UInt8(ascii: ",")) ?? text.endIndex
            if found < columns.count, let column = columns[found] {
                try set(column, text[start..<end], in: &record)
            }
            found += 1
            if end == text.endIndex { break }
            start = end + 1
        }
        guard found == columns.count else {
            throw .fieldCount(line: line, expected: columns.count, found: found)
        }
        return record
    }

    private func set(
        _ column: PacketLogColumn, _ field: ArraySlice<UInt8>, in record: inout PacketRecord
    ) throws(PacketLogError) {
        if field.isEmpty, column.isRequired { throw error(column, field, "a value") }
        switch column.field {
        case .session:
            guard let value = parseSession(field) else { throw error(column, field, "16 hexadecimal digits") }
            record.session = value
        case .integer(let range, _, let write):
            if field.isEmpty { return write(&record, nil) }
            guard let value: Int64 = parseDecimal(field), range.contains(value) else {
                throw error(column, field, "an integer from \(range.lowerBound) to \(range.upperBound)")
            }
            write(&record, value)
        case .label(let texts, _, let write):
            if field.isEmpty { return write(&record, nil) }
            guard let index = texts.firstIndex(where: { $0.utf8.elementsEqual(field) }) else {
                throw error(column, field, "one of " + texts.filter { !$0.isEmpty }.joined(separator: ", "))
            }
            write(&record, index)
        case .peer:
            if field.isEmpty { return record.peer = nil }
            guard let peer = PeerAddress(String(decoding: field, as: UTF8.self)) else {
                throw error(column, field, "an IP or a MAC address")
            }
            record.peer = peer
        // The value follows from the row's other fields.
        case .stage: break
        }
    }

    private func error(_ column: PacketLogColumn, _ field: ArraySlice<UInt8>, _ expected: String) -> PacketLogError {
        .field(line: line, column: column.name, text: quotable(field), expected: expected)
    }
}
