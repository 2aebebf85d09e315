/// The line of a packet that is sent or received, for a terminal or a pipe.
///
/// A sent packet has a TX line with its transmit timestamps, a received one an RX line with its receive timestamps.
/// Times are in RFC 3339 format (UTC) and in nanoseconds since the Unix epoch. A missing value is a dash.
public enum PacketLine {
    /// Appends the line of `record` as text, with its line end.
    ///
    /// `delay` is the packet's one-way delay, exact to the nanosecond. `error` is its bound, or "relative" if there is
    /// none. `clock=set` marks a packet without a delay because a clock was set during the exchange. `status` is shown
    /// unless it is ok, and `missing` is the reason why a better timestamp of this host is missing.
    public static func append(_ record: PacketRecord, to bytes: inout [UInt8]) {
        let stamps = Stamps(record)
        bytes.append(text: record.direction == .out ? "TX probe=" : "RX probe=")
        bytes.appendDecimal(record.sequence)
        append("hardware", stamps.hardware, to: &bytes)
        append("software", stamps.software, to: &bytes)
        append("userspace", stamps.app, to: &bytes)
        bytes.append(text: " delay=")
        if let delay = record.delay {
            bytes.append(text: "\"\(exactDurationText(delay))\" error=")
            bytes.append(text: record.delayError.map { "\"\(exactDurationText($0))\"" } ?? "relative")
        } else {
            bytes.append(UInt8(ascii: "-"))
        }
        if record.clockEpoch == nil { bytes.append(text: " clock=set") }
        if record.status != .ok { bytes.append(text: " status=" + record.status.text) }
        if let reason = stamps.missing { bytes.append(text: " missing=" + reason.text) }
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func append(_ name: String, _ stamp: Int64?, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: " "))
        bytes.append(text: name)
        guard let stamp else {
            bytes.append(text: "=- ")
            bytes.append(text: name)
            return bytes.append(text: "_ns=-")
        }
        bytes.append(text: "=\"")
        bytes.appendTimestamp(stamp)
        bytes.append(text: "\" ")
        bytes.append(text: name)
        bytes.append(text: "_ns=")
        bytes.appendDecimal(stamp)
    }

    /// The timestamps of the logging host.
    struct Stamps {
        let hardware: Int64?
        let software: Int64?
        let app: Int64?
        let missing: MissingReason?

        init(_ record: PacketRecord) {
            switch record.direction {
            case .out:
                hardware = record.transmitHardware
                software = record.transmitSoftware
                app = record.transmitApp
                missing = record.transmitMissing
            case .in:
                hardware = record.receiveHardware
                software = record.receiveSoftware
                app = record.receiveApp
                missing = record.receiveMissing
            }
        }
    }
}
