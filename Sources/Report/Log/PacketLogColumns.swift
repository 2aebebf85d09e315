import NetworkAddresses

/// A visitor of a record's columns, which writes them, reads them, or collects their names.
///
/// Each call passes the visitor a column's name and its value.
protocol PacketLogVisitor {
    /// The session ID: 16 hexadecimal digits, required in every row.
    mutating func session(_ name: String, _ value: inout UInt64)
    /// A required integer.
    mutating func required<Value: FixedWidthInteger>(_ name: String, _ value: inout Value)
    /// An integer, nil if it is absent.
    mutating func integer<Value: FixedWidthInteger>(_ name: String, _ value: inout Value?)
    /// A required word; it may be empty.
    mutating func required<Label: LogLabel>(_ name: String, _ value: inout Label)
    /// A word, nil if it is absent.
    mutating func label<Label: LogLabel>(_ name: String, _ value: inout Label?)
    /// The peer's address, nil if it is absent.
    mutating func peer(_ name: String, _ value: inout PeerAddress?)
    /// A value computed from other columns, which a reader ignores.
    mutating func derived(_ name: String, _ value: Int64?)
}

extension PacketRecord {
    /// Visits every column of the packet log, in the order in which they are written. New ones are appended, never inserted.
    ///
    /// This is the only list of columns. The header, the row writer, the reader, the JSON lines and the bound of a row's
    /// length follow from it; a test holds the table of docs/packet-log.md against it.
    @inline(__always)
    mutating func visitColumns(_ visitor: inout some PacketLogVisitor) {
        visitor.session("session", &session)
        visitor.required("packet", &packet)
        visitor.required("seq", &sequence)
        visitor.integer("reply_seq", &replySequence)
        visitor.required("direction", &direction)
        var size = bytes == 0 ? nil : bytes
        visitor.integer("bytes", &size)
        bytes = size ?? 0
        visitor.required("status", &status)
        visitor.integer("tx_app_ns", &transmitApp)
        visitor.integer("tx_sched_ns", &transmitSched)
        visitor.integer("tx_sw_ns", &transmitSoftware)
        visitor.integer("tx_hw_ns", &transmitHardware)
        visitor.integer("rx_hw_ns", &receiveHardware)
        visitor.integer("rx_sw_ns", &receiveSoftware)
        visitor.integer("rx_app_ns", &receiveApp)
        visitor.integer("delay_ns", &delay)
        visitor.integer("delay_error_ns", &delayError)
        visitor.label("delay_clock", &delayClock)
        visitor.label("tx_stamp", &transmitStamp)
        visitor.label("tx_missing", &transmitMissing)
        visitor.label("rx_stamp", &receiveStamp)
        visitor.label("rx_missing", &receiveMissing)
        visitor.integer("ttl", &ttl)
        visitor.integer("dscp", &dscp)
        visitor.integer("tx_hw_realtime_ns", &transmitHardwareRealtime)
        visitor.integer("tx_hw_error_ns", &transmitHardwareError)
        visitor.integer("rx_hw_realtime_ns", &receiveHardwareRealtime)
        visitor.integer("rx_hw_error_ns", &receiveHardwareError)
        visitor.integer("clock_epoch", &clockEpoch)
        visitor.integer("sample_ns", &sample)
        visitor.integer("sample_latency_ns", &sampleLatency)
        visitor.label("sample_order", &sampleOrder)
        visitor.integer("send_errno", &sendError)
        visitor.peer("peer_address", &peer)
        visitor.integer("peer_port", &peerPort)
        visitor.derived("app_to_sched_ns", self[.appToSched])
        visitor.derived("sched_to_driver_ns", self[.schedToDriver])
        visitor.derived("driver_to_nic_ns", self[.driverToNIC])
        visitor.derived("nic_to_kernel_ns", self[.nicToKernel])
        visitor.derived("kernel_to_app_ns", self[.kernelToApp])
    }
}

/// The properties of a column.
struct PacketLogColumn: Sendable {
    /// The name in the header and the key in JSON.
    let name: String
    /// The largest length of a field, in bytes.
    let maximumBytes: Int
    /// True if a log without this column has no rows.
    var isRequired = false
    /// The words of a column of words.
    var words: [String] = []

    /// Every column, in the order in which they are written.
    static let all: [PacketLogColumn] = {
        var collector = Collector()
        var record = PacketRecord(session: 0, packet: .probe, sequence: 0, direction: .out)
        record.visitColumns(&collector)
        return collector.columns
    }()

    /// The header line, without its line end.
    static let header = all.map(\.name).joined(separator: ",")

    /// The largest length of a row in bytes: each column's field, with a comma or the line end after it.
    static let maximumRowBytes = all.reduce(0) { $0 + $1.maximumBytes + 1 }

    private struct Collector: PacketLogVisitor {
        var columns: [PacketLogColumn] = []

        private mutating func add<Value: FixedWidthInteger>(_ name: String, _ type: Value.Type, isRequired: Bool) {
            let maximumBytes = max("\(Value.min)".utf8.count, "\(Value.max)".utf8.count)
            columns.append(PacketLogColumn(name: name, maximumBytes: maximumBytes, isRequired: isRequired))
        }

        private mutating func add<Label: LogLabel>(_ name: String, _ type: Label.Type, isRequired: Bool) {
            let words = Label.allCases.map(\.text)
            columns.append(
                PacketLogColumn(
                    name: name, maximumBytes: words.map(\.utf8.count).max() ?? 0, isRequired: isRequired, words: words))
        }

        mutating func session(_ name: String, _ value: inout UInt64) {
            columns.append(PacketLogColumn(name: name, maximumBytes: 16, isRequired: true))
        }

        mutating func required<Value: FixedWidthInteger>(_ name: String, _ value: inout Value) {
            add(name, Value.self, isRequired: true)
        }

        mutating func integer<Value: FixedWidthInteger>(_ name: String, _ value: inout Value?) {
            add(name, Value.self, isRequired: false)
        }

        mutating func required<Label: LogLabel>(_ name: String, _ value: inout Label) {
            add(name, Label.self, isRequired: true)
        }

        mutating func label<Label: LogLabel>(_ name: String, _ value: inout Label?) {
            add(name, Label.self, isRequired: false)
        }

        // An IPv4-mapped IPv6 address is the longest.
        mutating func peer(_ name: String, _ value: inout PeerAddress?) {
            columns.append(PacketLogColumn(name: name, maximumBytes: 45))
        }

        mutating func derived(_ name: String, _ value: Int64?) { add(name, Int64.self, isRequired: false) }
    }
}
