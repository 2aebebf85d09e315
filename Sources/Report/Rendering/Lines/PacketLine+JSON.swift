extension PacketLine {
    /// Appends the line of `record` as one JSON object, with its line end: the timestamps of the end that logs, then all
    /// columns of the packet log under their names. Absent values are null.
    public static func appendJSON(_ record: PacketRecord, to bytes: inout [UInt8]) {
        let stamps = Stamps(record)
        var writer = JSONWriter()
        // The array is lent to the writer, not copied.
        swap(&writer.bytes, &bytes)
        writer.beginObject()
        writer.key("type")
        writer.value(record.direction == .out ? "tx" : "rx")
        writer.key("probe")
        writer.value(record.sequence)
        write("hardware", stamps.hardware, to: &writer)
        write("software", stamps.software, to: &writer)
        write("userspace", stamps.app, to: &writer)
        for column in PacketLogColumn.allCases {
            writer.key(column.rawValue)
            write(column, of: record, to: &writer)
        }
        writer.endObject()
        writer.bytes.append(UInt8(ascii: "\n"))
        swap(&writer.bytes, &bytes)
    }

    private static func write(_ name: String, _ stamp: Int64?, to writer: inout JSONWriter) {
        writer.key(name)
        writer.value(stamp.map(timestampText))
        writer.key(name + "_ns")
        writer.value(stamp)
    }

    private static func write(_ column: PacketLogColumn, of record: PacketRecord, to writer: inout JSONWriter) {
        switch column {
        case .session: writer.value(sessionText(record.session))
        case .packet: writer.value(record.packet.text)
        case .sequence: writer.value(record.sequence)
        case .replySequence: writer.value(record.replySequence)
        case .direction: writer.value(record.direction.text)
        case .bytes: writer.value(record.bytes == 0 ? nil : record.bytes)
        case .status: writer.value(record.status == .notSent ? nil : record.status.text)
        case .transmitApp: writer.value(record.transmitApp)
        case .transmitSched: writer.value(record.transmitSched)
        case .transmitSoftware: writer.value(record.transmitSoftware)
        case .transmitHardware: writer.value(record.transmitHardware)
        case .receiveHardware: writer.value(record.receiveHardware)
        case .receiveSoftware: writer.value(record.receiveSoftware)
        case .receiveApp: writer.value(record.receiveApp)
        case .delay: writer.value(record.delay)
        case .delayError: writer.value(record.delayError)
        case .delayClock: writer.value(record.delayClock?.text)
        case .transmitStamp: writer.value(record.transmitStamp?.text)
        case .transmitMissing: writer.value(record.transmitMissing?.text)
        case .receiveStamp: writer.value(record.receiveStamp?.text)
        case .receiveMissing: writer.value(record.receiveMissing?.text)
        case .ttl: writer.value(record.ttl)
        case .dscp: writer.value(record.dscp)
        case .transmitHardwareRealtime: writer.value(record.transmitHardwareRealtime)
        case .transmitHardwareError: writer.value(record.transmitHardwareError)
        case .receiveHardwareRealtime: writer.value(record.receiveHardwareRealtime)
        case .receiveHardwareError: writer.value(record.receiveHardwareError)
        case .clockEpoch: writer.value(record.clockEpoch)
        case .sample: writer.value(record.sample)
        case .sampleLatency: writer.value(record.sampleLatency)
        case .sampleOrder: writer.value(record.sampleOrder?.text)
        }
    }
}
