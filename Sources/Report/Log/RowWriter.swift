/// Writes fields into room that is already there.
struct RowWriter {
    /// Where the next byte goes.
    var position: Int

    @inline(__always)
    mutating func write(_ record: PacketRecord, to out: inout MutableSpan<UInt8>) {
        writeHexadecimal(record.session, to: &out)
        write(label: record.packet.text, to: &out)
        write(field: UInt64(record.sequence), to: &out)
        write(optional: record.replySequence.map(Int64.init), to: &out)
        write(label: record.direction.text, to: &out)
        write(optional: record.bytes == 0 ? nil : Int64(record.bytes), to: &out)
        write(label: record.status.text, to: &out)
        write(optional: record.transmitApp, to: &out)
        write(optional: record.transmitSched, to: &out)
        write(optional: record.transmitSoftware, to: &out)
        write(optional: record.transmitHardware, to: &out)
        write(optional: record.receiveHardware, to: &out)
        write(optional: record.receiveSoftware, to: &out)
        write(optional: record.receiveApp, to: &out)
        write(optional: record.delay, to: &out)
        write(optional: record.delayError, to: &out)
        write(label: record.delayClock?.text, to: &out)
        write(label: record.transmitStamp?.text, to: &out)
        write(label: record.transmitMissing?.text, to: &out)
        write(label: record.receiveStamp?.text, to: &out)
        write(label: record.receiveMissing?.text, to: &out)
        write(optional: record.ttl.map(Int64.init), to: &out)
        write(optional: record.dscp.map(Int64.init), to: &out)
        write(optional: record.transmitHardwareRealtime, to: &out)
        write(optional: record.transmitHardwareError, to: &out)
        write(optional: record.receiveHardwareRealtime, to: &out)
        write(optional: record.receiveHardwareError, to: &out)
        write(optional: record.clockEpoch.map(Int64.init), to: &out)
        write(optional: record.sample, to: &out)
        write(optional: record.sampleLatency, to: &out)
        write(label: record.sampleOrder?.text, to: &out)
        put(UInt8(ascii: "\n"), to: &out)
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8, to out: inout MutableSpan<UInt8>) {
        out[position] = byte
        position &+= 1
    }

    private mutating func writeHexadecimal(_ value: UInt64, to out: inout MutableSpan<UInt8>) {
        for shift in stride(from: 60, through: 0, by: -4) {
            put(hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15), to: &out)
        }
    }

    @inline(__always)
    private mutating func write(label: String?, to out: inout MutableSpan<UInt8>) {
        put(UInt8(ascii: ","), to: &out)
        guard let label else { return }
        for byte in label.utf8 { put(byte, to: &out) }
    }

    @inline(__always)
    private mutating func write(optional value: Int64?, to out: inout MutableSpan<UInt8>) {
        guard let value else { return put(UInt8(ascii: ","), to: &out) }
        if value < 0 {
            put(UInt8(ascii: ","), to: &out)
            put(UInt8(ascii: "-"), to: &out)
            writeDigits(value.magnitude, to: &out)
        } else {
            write(field: UInt64(value), to: &out)
        }
    }

    @inline(__always)
    private mutating func write(field value: UInt64, to out: inout MutableSpan<UInt8>) {
        put(UInt8(ascii: ","), to: &out)
        writeDigits(value, to: &out)
    }

    /// Digits from the last to the first, two for each division: the divisions wait for one another and are what
    /// a row costs.
    private mutating func writeDigits(_ value: UInt64, to out: inout MutableSpan<UInt8>) {
        // Times of our day have 19 digits.
        var length = value >= 1_000_000_000_000_000_000 ? 19 : 1
        var bound: UInt64 = length == 19 ? 10_000_000_000_000_000_000 : 10
        while length < 20, value >= bound {
            length &+= 1
            bound = length < 20 ? bound &* 10 : bound
        }
        var rest = value
        var index = position &+ length
        position = index
        while rest >= 100 {
            let quotient = rest / 100
            let pair = UInt32(truncatingIfNeeded: rest &- quotient &* 100)
            // 103/1024 is a tenth, rounded down rightly for all numbers of two digits.
            let tens = (pair &* 103) >> 10
            index &-= 2
            out[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: tens)
            out[index &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: pair &- tens &* 10)
            rest = quotient
        }
        let last = UInt8(truncatingIfNeeded: rest)
        out[index &- 1] = UInt8(ascii: "0") &+ last % 10
        if last >= 10 { out[index &- 2] = UInt8(ascii: "0") &+ last / 10 }
    }
}
