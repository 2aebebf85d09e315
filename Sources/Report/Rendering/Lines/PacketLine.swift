/// One line for each packet, as it is sent or received: for a terminal or a pipe.
///
/// A row whose packet went out gives a TX line with the transmit timestamps, one whose packet came in an RX line with the
/// receive timestamps. Times are written out (RFC 3339, UTC) and as nanoseconds since the Unix epoch; a dash stands for
/// what is absent.
public enum PacketLine {
    /// Appends the line of `record` as text, with its line end.
    ///
    /// The delay is that of the packet itself, exact to the nanosecond; error is its bound, or "relative" where no
    /// bound is known; clock=set says that there is none because a clock was set meanwhile. The status is named when it is not ok, and missing gives the reason why a better timestamp of this
    /// end is not there.
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

    /// The timestamps of the end that logged the row.
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
