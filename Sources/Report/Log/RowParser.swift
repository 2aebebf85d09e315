/// Turns the fields of one line into a record.
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
        switch column {
        case .session: record.session = try session(field)
        case .packet: record.packet = try required(column, label(column, field, \.text))
        case .sequence: record.sequence = try required(column, integer(column, field))
        case .replySequence: record.replySequence = try integer(column, field)
        case .direction: record.direction = try required(column, label(column, field, \.text))
        case .bytes: record.bytes = try integer(column, field) ?? 0
        case .status: record.status = try label(column, field, \.text) ?? .notSent
        case .transmitApp: record.transmitApp = try integer(column, field)
        case .transmitSched: record.transmitSched = try integer(column, field)
        case .transmitSoftware: record.transmitSoftware = try integer(column, field)
        case .transmitHardware: record.transmitHardware = try integer(column, field)
        case .receiveHardware: record.receiveHardware = try integer(column, field)
        case .receiveSoftware: record.receiveSoftware = try integer(column, field)
        case .receiveApp: record.receiveApp = try integer(column, field)
        case .delay: record.delay = try integer(column, field)
        case .delayError: record.delayError = try integer(column, field)
        case .delayClock: record.delayClock = try label(column, field, \.text)
        case .transmitStamp: record.transmitStamp = try label(column, field, \.text)
        case .transmitMissing: record.transmitMissing = try label(column, field, \.text)
        case .receiveStamp: record.receiveStamp = try label(column, field, \.text)
        case .receiveMissing: record.receiveMissing = try label(column, field, \.text)
        case .ttl: record.ttl = try integer(column, field)
        case .dscp: record.dscp = try integer(column, field)
        case .transmitHardwareRealtime: record.transmitHardwareRealtime = try integer(column, field)
        case .transmitHardwareError: record.transmitHardwareError = try integer(column, field)
        case .receiveHardwareRealtime: record.receiveHardwareRealtime = try integer(column, field)
        case .receiveHardwareError: record.receiveHardwareError = try integer(column, field)
        case .clockEpoch: record.clockEpoch = try integer(column, field)
        case .sample: record.sample = try integer(column, field)
        case .sampleLatency: record.sampleLatency = try integer(column, field)
        case .sampleOrder: record.sampleOrder = try label(column, field, \.text)
        }
    }

    private func required<Value>(_ column: PacketLogColumn, _ value: Value?) throws(PacketLogError) -> Value {
        guard let value else { throw error(column, [], "a value") }
        return value
    }

    private func session(_ field: ArraySlice<UInt8>) throws(PacketLogError) -> UInt64 {
        guard let value = parseSession(field) else { throw error(.session, field, "16 hexadecimal digits") }
        return value
    }

    private func integer<Value: FixedWidthInteger>(
        _ column: PacketLogColumn, _ field: ArraySlice<UInt8>
    ) throws(PacketLogError) -> Value? {
        if field.isEmpty { return nil }
        guard let value: Value = parseDecimal(field) else {
            throw error(column, field, "an integer from \(Value.min) to \(Value.max)")
        }
        return value
    }

    private func label<Label: CaseIterable>(
        _ column: PacketLogColumn, _ field: ArraySlice<UInt8>, _ text: (Label) -> String
    ) throws(PacketLogError) -> Label? {
        if field.isEmpty { return nil }
        for label in Label.allCases where text(label).utf8.elementsEqual(field) { return label }
        throw error(column, field, "one of " + Label.allCases.map(text).joined(separator: ", "))
    }

    private func error(_ column: PacketLogColumn, _ field: ArraySlice<UInt8>, _ expected: String) -> PacketLogError {
        .field(line: line, column: column.rawValue, text: quotable(field), expected: expected)
    }
}
