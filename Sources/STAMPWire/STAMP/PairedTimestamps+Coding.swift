extension PairedTimestamps {
    private static let magic: UInt32 = 0x4F57_4450  // "OWDP"
    private static let version: UInt8 = 2
    private static let closingFlag: UInt8 = 1
    private static let transmitOffset = 32
    private static let receiveOffset = 144

    /// Returns whether a type 240 value has the length, magic, version and counts of this one.
    static func isPresent(in value: RawSpan) -> Bool {
        guard value.byteCount == valueLength, value.u32(at: 0) == magic, value.u8(at: 4) == version,
            let transmitCount = value.u8(at: 6), let receiveCount = value.u8(at: 7)
        else { return false }
        return transmitCount <= 2 && receiveCount <= 2
    }

    /// Decodes the TLV's value; nil if its length, magic or version differs or a count exceeds 2. Unknown flags,
    /// reserved bytes, and sets beyond the counts are ignored.
    public init?(decoding value: RawSpan) {
        guard Self.isPresent(in: value), let flags = value.u8(at: 5), let transmitCount = value.u8(at: 6),
            let receiveCount = value.u8(at: 7), let instance = value.u64(at: 8), let bootHash = value.u64(at: 16),
            let clock = value.u32(at: 24), let clockSteps = value.u8(at: 28)
        else { return nil }
        self.init(
            isClosing: flags & Self.closingFlag != 0, instance: instance, bootHash: bootHash,
            hardwareClock: clock == 0 ? nil : clock - 1, clockSteps: clockSteps)
        let transmit = Self.transmitOffset
        let receive = Self.receiveOffset
        if transmitCount > 0 { transmit0 = TransmitStamps(decoding: value, at: transmit) }
        if transmitCount > 1 { transmit1 = TransmitStamps(decoding: value, at: transmit + TransmitStamps.length) }
        if receiveCount > 0 { receive0 = ReceiveStamps(decoding: value, at: receive) }
        if receiveCount > 1 { receive1 = ReceiveStamps(decoding: value, at: receive + ReceiveStamps.length) }
    }

    /// Writes the 240 bytes of the value, without the TLV's header, at `offset`. Returns false and writes nothing if
    /// they do not fit.
    public func write(into packet: inout MutableRawSpan, at offset: Int) -> Bool {
        guard packet.holds(Self.valueLength, at: offset) else { return false }
        let transmitCount: UInt8 = (transmit0 == nil ? 0 : 1) + (transmit1 == nil ? 0 : 1)
        let receiveCount: UInt8 = (receive0 == nil ? 0 : 1) + (receive1 == nil ? 0 : 1)
        packet.store32(Self.magic, at: offset)
        packet.store8(Self.version, at: offset + 4)
        packet.store8(isClosing ? Self.closingFlag : 0, at: offset + 5)
        packet.store8(transmitCount, at: offset + 6)
        packet.store8(receiveCount, at: offset + 7)
        packet.store64(instance, at: offset + 8)
        packet.store64(bootHash, at: offset + 16)
        packet.store32(hardwareClock.map { $0 &+ 1 } ?? 0, at: offset + 24)
        packet.store8(clockSteps, at: offset + 28)
        packet.zero(offset + 29..<offset + 32)
        let transmit = offset + Self.transmitOffset
        let receive = offset + Self.receiveOffset
        TransmitStamps.write(transmit0 ?? transmit1, into: &packet, at: transmit)
        TransmitStamps.write(
            transmit0 == nil ? nil : transmit1, into: &packet, at: transmit + TransmitStamps.length)
        ReceiveStamps.write(receive0 ?? receive1, into: &packet, at: receive)
        ReceiveStamps.write(receive0 == nil ? nil : receive1, into: &packet, at: receive + ReceiveStamps.length)
        return true
    }
}

extension TransmitStamps {
    fileprivate static let length = 56

    fileprivate init?(decoding value: RawSpan, at offset: Int) {
        guard let sequence = value.u32(at: offset), let answered = value.u32(at: offset + 4) else { return nil }
        self.init(
            sequence: sequence, answered: answered, app: value.stamp(at: offset + 8),
            sched: value.stamp(at: offset + 16), software: value.stamp(at: offset + 24),
            nic: HardwareStamp(decoding: value, at: offset + 32))
    }

    fileprivate static func write(_ stamps: TransmitStamps?, into packet: inout MutableRawSpan, at offset: Int) {
        guard let stamps else {
            packet.zero(offset..<offset + length)
            return
        }
        packet.store32(stamps.sequence, at: offset)
        packet.store32(stamps.answered, at: offset + 4)
        packet.store64(stamps.times.app ?? 0, at: offset + 8)
        packet.store64(stamps.times.sched ?? 0, at: offset + 16)
        packet.store64(stamps.times.software ?? 0, at: offset + 24)
        stamps.times.nic.write(into: &packet, at: offset + 32)
    }
}

extension ReceiveStamps {
    fileprivate static let length = 48

    fileprivate init?(decoding value: RawSpan, at offset: Int) {
        guard let sequence = value.u32(at: offset) else { return nil }
        self.init(
            sequence: sequence, nic: HardwareStamp(decoding: value, at: offset + 24),
            software: value.stamp(at: offset + 8), app: value.stamp(at: offset + 16))
    }

    fileprivate static func write(_ stamps: ReceiveStamps?, into packet: inout MutableRawSpan, at offset: Int) {
        guard let stamps else {
            packet.zero(offset..<offset + length)
            return
        }
        packet.store32(stamps.sequence, at: offset)
        packet.store32(0, at: offset + 4)
        packet.store64(stamps.times.software ?? 0, at: offset + 8)
        packet.store64(stamps.times.app ?? 0, at: offset + 16)
        stamps.times.nic.write(into: &packet, at: offset + 24)
    }
}

extension HardwareStamp {
    fileprivate init(decoding value: RawSpan, at offset: Int) {
        self.init(
            time: value.stamp(at: offset), realtime: value.stamp(at: offset + 8),
            error: value.u32(at: offset + 16) ?? 0, missing: value.u8(at: offset + 20) ?? 0)
    }

    fileprivate func write(into packet: inout MutableRawSpan, at offset: Int) {
        packet.store64(time ?? 0, at: offset)
        packet.store64(realtime ?? 0, at: offset + 8)
        packet.store32(error, at: offset + 16)
        packet.store8(missing, at: offset + 20)
        packet.zero(offset + 21..<offset + 24)
    }
}

extension RawSpan {
    /// Reads a timestamp; nil for 0, which marks an absent one.
    fileprivate func stamp(at offset: Int) -> Int64? {
        guard let value = i64(at: offset), value != 0 else { return nil }
        return value
    }
}
