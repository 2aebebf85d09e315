extension PacketLine {
    /// Appends the line of `record` as a JSON object with its line end: the logging host's timestamps, then all columns
    /// of the packet log under their names. Missing values are null.
    public static func appendJSON(_ record: PacketRecord, to bytes: inout [UInt8]) {
        let stamps = Stamps(record)
        var writer = JSONWriter()
        // Swapping avoids a copy of the array.
        swap(&writer.bytes, &bytes)
        writer.beginObject()
        writer.key("type")
        writer.value(record.direction == .out ? "tx" : "rx")
        writer.key("probe")
        writer.value(record.sequence)
        write("hardware", stamps.hardware, to: &writer)
        write("software", stamps.software, to: &writer)
        write("userspace", stamps.app, to: &writer)
        for column in PacketLogColumn.all {
            writer.key(column.name)
            switch column.field {
            case .session: writer.value(sessionText(record.session))
            case .integer(_, let read, _): writer.value(read(record))
            case .label(_, let read, _): writer.value(read(record).flatMap { $0.isEmpty ? nil : $0 })
            case .peer: writer.value(record.peer?.description)
            case .stage(let stage): writer.value(record[stage])
            }
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
}
