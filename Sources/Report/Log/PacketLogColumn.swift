import NetworkAddresses

/// A column of the packet log: its name, and how its field is read from a record and written to one.
///
/// ``PacketLogColumn/all`` is the only list of columns. The header, the row writer, the reader, the JSON lines and the
/// bound of a row's length follow from it; a test holds the table of docs/packet-log.md against it.
struct PacketLogColumn: Sendable {
    /// The name in the header and the key in JSON.
    let name: String
    /// The largest length of a field, in bytes.
    let maximumBytes: Int
    /// True if a row needs this field.
    let isRequired: Bool
    let field: Field

    /// The kinds of field.
    enum Field: Sendable {
        /// A session id: 16 hexadecimal digits.
        case session
        /// An integer of a range; absent as an empty field.
        case integer(
            ClosedRange<Int64>, read: @Sendable (PacketRecord) -> Int64?,
            write: @Sendable (inout PacketRecord, Int64?) -> Void)
        /// One of a fixed set of words.
        case label(
            [String], read: @Sendable (PacketRecord) -> String?,
            write: @Sendable (inout PacketRecord, _ index: Int?) -> Void)
        /// The peer's address.
        case peer
        /// The time between two timestamps of the row. It follows from them, so a reader ignores it.
        case stage(HostPathStage)
    }

    /// A column of Int64 nanoseconds.
    private static func time(
        _ name: String, _ read: @escaping @Sendable (PacketRecord) -> Int64?,
        _ write: @escaping @Sendable (inout PacketRecord, Int64?) -> Void
    ) -> PacketLogColumn {
        PacketLogColumn(
            name: name, maximumBytes: 20, isRequired: false, field: .integer(.min ... .max, read: read, write: write))
    }

    /// A column of another integer.
    private static func integer<Value: FixedWidthInteger>(
        _ name: String, isRequired: Bool = false, _ read: @escaping @Sendable (PacketRecord) -> Value?,
        _ write: @escaping @Sendable (inout PacketRecord, Value?) -> Void
    ) -> PacketLogColumn {
        let range = Int64(Value.min)...Int64(Value.max)
        return PacketLogColumn(
            name: name, maximumBytes: max("\(Value.min)".utf8.count, "\(Value.max)".utf8.count), isRequired: isRequired,
            field: .integer(
                range, read: { read($0).map(Int64.init) }, write: { write(&$0, $1.flatMap(Value.init(exactly:))) }))
    }

    /// A column of words.
    private static func label<Label: LogLabel>(
        _ name: String, isRequired: Bool = false, _ read: @escaping @Sendable (PacketRecord) -> Label?,
        _ write: @escaping @Sendable (inout PacketRecord, Label?) -> Void
    ) -> PacketLogColumn {
        let labels = Array(Label.allCases)
        let texts = labels.map(\.text)
        return PacketLogColumn(
            name: name, maximumBytes: texts.map(\.utf8.count).max() ?? 0, isRequired: isRequired,
            field: .label(
                texts, read: { record in read(record)?.text },
                write: { record, index in write(&record, index.map { labels[$0] }) }))
    }

    private static func stage(_ stage: HostPathStage) -> PacketLogColumn {
        PacketLogColumn(name: "\(stage.text)_ns", maximumBytes: 20, isRequired: false, field: .stage(stage))
    }

    /// Every column, in the order in which they are written. New ones are appended, never inserted.
    static let all: [PacketLogColumn] =
        [
            PacketLogColumn(name: "session", maximumBytes: 16, isRequired: true, field: .session),
            label("packet", isRequired: true, { $0.packet }, { $0.packet = $1 ?? .probe }),
            integer("seq", isRequired: true, { $0.sequence }, { $0.sequence = $1 ?? 0 }),
            integer("reply_seq", { $0.replySequence }, { $0.replySequence = $1 }),
            label("direction", isRequired: true, { $0.direction }, { $0.direction = $1 ?? .out }),
            integer("bytes", { $0.bytes == 0 ? nil : $0.bytes }, { $0.bytes = $1 ?? 0 }),
            // An empty status is a valid one.
            label("status", { $0.status }, { $0.status = $1 ?? .absent }),
            time("tx_app_ns", { $0.transmitApp }, { $0.transmitApp = $1 }),
            time("tx_sched_ns", { $0.transmitSched }, { $0.transmitSched = $1 }),
            time("tx_sw_ns", { $0.transmitSoftware }, { $0.transmitSoftware = $1 }),
            time("tx_hw_ns", { $0.transmitHardware }, { $0.transmitHardware = $1 }),
            time("rx_hw_ns", { $0.receiveHardware }, { $0.receiveHardware = $1 }),
            time("rx_sw_ns", { $0.receiveSoftware }, { $0.receiveSoftware = $1 }),
            time("rx_app_ns", { $0.receiveApp }, { $0.receiveApp = $1 }),
            time("delay_ns", { $0.delay }, { $0.delay = $1 }),
            time("delay_error_ns", { $0.delayError }, { $0.delayError = $1 }),
            label("delay_clock", { $0.delayClock }, { $0.delayClock = $1 }),
            label("tx_stamp", { $0.transmitStamp }, { $0.transmitStamp = $1 }),
            label("tx_missing", { $0.transmitMissing }, { $0.transmitMissing = $1 }),
            label("rx_stamp", { $0.receiveStamp }, { $0.receiveStamp = $1 }),
            label("rx_missing", { $0.receiveMissing }, { $0.receiveMissing = $1 }),
            integer("ttl", { $0.ttl }, { $0.ttl = $1 }),
            integer("dscp", { $0.dscp }, { $0.dscp = $1 }),
            time("tx_hw_realtime_ns", { $0.transmitHardwareRealtime }, { $0.transmitHardwareRealtime = $1 }),
            time("tx_hw_error_ns", { $0.transmitHardwareError }, { $0.transmitHardwareError = $1 }),
            time("rx_hw_realtime_ns", { $0.receiveHardwareRealtime }, { $0.receiveHardwareRealtime = $1 }),
            time("rx_hw_error_ns", { $0.receiveHardwareError }, { $0.receiveHardwareError = $1 }),
            integer("clock_epoch", { $0.clockEpoch }, { $0.clockEpoch = $1 }),
            time("sample_ns", { $0.sample }, { $0.sample = $1 }),
            time("sample_latency_ns", { $0.sampleLatency }, { $0.sampleLatency = $1 }),
            label("sample_order", { $0.sampleOrder }, { $0.sampleOrder = $1 }),
            integer("send_errno", { $0.sendError }, { $0.sendError = $1 }),
            PacketLogColumn(name: "peer_address", maximumBytes: 45, isRequired: false, field: .peer),
            integer("peer_port", { $0.peerPort }, { $0.peerPort = $1 }),
        ] + HostPathStage.allCases.map(stage)

    /// The header line, without its line end.
    static let header = all.map(\.name).joined(separator: ",")

    /// The largest length of a row in bytes: each column's field, with a comma or the line end after it.
    static let maximumRowBytes = all.reduce(0) { $0 + $1.maximumBytes + 1 }
}
