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
        // The writer is lent, not copied.
        var members = MemberWriter(writer: JSONWriter())
        swap(&members.writer, &writer)
        var record = record
        record.visitColumns(&members)
        swap(&members.writer, &writer)
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

/// Writes each column as a member of an object; absent ones are null.
private struct MemberWriter: PacketLogVisitor {
    var writer: JSONWriter

    mutating func session(_ name: String, _ value: inout UInt64) {
        writer.key(name)
        writer.value(sessionText(value))
    }

    mutating func required<Value: FixedWidthInteger>(_ name: String, _ value: inout Value) {
        derived(name, Int64(clamping: value))
    }

    mutating func integer<Value: FixedWidthInteger>(_ name: String, _ value: inout Value?) {
        derived(name, value.map { Int64(clamping: $0) })
    }

    mutating func required<Label: LogLabel>(_ name: String, _ value: inout Label) {
        writer.key(name)
        writer.value(value.text.isEmpty ? nil : value.text)
    }

    mutating func label<Label: LogLabel>(_ name: String, _ value: inout Label?) {
        writer.key(name)
        writer.value(value?.text)
    }

    mutating func peer(_ name: String, _ value: inout PeerAddress?) {
        writer.key(name)
        writer.value(value?.description)
    }

    mutating func derived(_ name: String, _ value: Int64?) {
        writer.key(name)
        writer.value(value)
    }
}
