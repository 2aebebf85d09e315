import STAMPWire
import Testing

@Suite("Paired timestamps")
struct PairedTimestampsTests {
    /// Written by hand from docs/stamp-tlv.md, with all sets except the second receive set.
    static let bytes = hex(
        """
        4f574450 02 01 02 01 1122334455667788 99aabbccddeeff00 00000003 07 000000
        00000010 00000020 0000000000000001 0000000000000002 0000000000000003
        ffffffffffffffff 0000000000000009 0000000a 00 000000
        00000011 00000021 0000000000000000 0000000000000004 0000000000000000
        0000000000000000 0000000000000000 00000000 06 000000
        00000030 00000000 0000000000000007 0000000000000008
        0000000000000006 0000000000000000 00000000 00 000000
        00000000 00000000 0000000000000000 0000000000000000
        0000000000000000 0000000000000000 00000000 00 000000
        """)
    static let value = PairedTimestamps(
        isClosing: true, instance: 0x1122_3344_5566_7788, bootHash: 0x99AA_BBCC_DDEE_FF00, hardwareClock: 2,
        clockSteps: 7,
        transmit0: TransmitStamps(
            sequence: 0x10, answered: 0x20, app: 1, sched: 2, software: 3,
            nic: HardwareStamp(time: -1, realtime: 9, error: 10)),
        transmit1: TransmitStamps(sequence: 0x11, answered: 0x21, sched: 4, nic: HardwareStamp(missing: 6)),
        receive0: ReceiveStamps(sequence: 0x30, nic: HardwareStamp(time: 6), software: 7, app: 8))

    @Test("The value is written to its layout and overwrites previous bytes")
    func encode() {
        let bytes = written(244) { span in Self.value.write(into: &span, at: 2) }
        #expect(bytes == [0xEE, 0xEE] + Self.bytes + [0xEE, 0xEE])
    }

    @Test("Every field is at its documented offset")
    func decode() {
        #expect(Self.bytes.count == PairedTimestamps.valueLength)
        #expect(PairedTimestamps(bytes: Self.bytes) == Self.value)
    }

    @Test("Missing sets, clock and flag are decoded as missing")
    func empty() {
        let value = PairedTimestamps(instance: 1, bootHash: 2)
        let bytes = written(240) { span in value.write(into: &span, at: 0) }
        #expect(bytes.dropFirst(24).allSatisfy { $0 == 0 })
        #expect(PairedTimestamps(bytes: bytes) == value)
    }

    @Test("Decoding recovers random values")
    func roundTrip() {
        var generator = SeededGenerator(state: 5)
        func stamp() -> Int64? {
            Bool.random(using: &generator) ? nil : Int64(truncatingIfNeeded: generator.next() | 1)
        }
        func word() -> UInt32 { UInt32(truncatingIfNeeded: generator.next()) }
        func nic() -> HardwareStamp {
            HardwareStamp(time: stamp(), realtime: stamp(), error: word(), missing: UInt8(truncatingIfNeeded: word()))
        }
        func transmit() -> TransmitStamps {
            TransmitStamps(
                sequence: word(), answered: word(), app: stamp(), sched: stamp(), software: stamp(), nic: nic())
        }
        func receive() -> ReceiveStamps {
            ReceiveStamps(sequence: word(), nic: nic(), software: stamp(), app: stamp())
        }
        for round in 0..<500 {
            let value = PairedTimestamps(
                isClosing: round % 2 == 0, instance: generator.next(), bootHash: generator.next(),
                hardwareClock: round % 3 == 0 ? nil : word() >> 1,
                clockSteps: UInt8(truncatingIfNeeded: round), transmit0: round % 5 > 0 ? transmit() : nil,
                transmit1: round % 5 > 1 ? transmit() : nil, receive0: round % 7 > 0 ? receive() : nil,
                receive1: round % 7 > 1 ? receive() : nil)
            let bytes = written(240) { span in value.write(into: &span, at: 0) }
            #expect(PairedTimestamps(bytes: bytes) == value)
        }
    }

    @Test("A second set without a first is decoded as the first")
    func gap() {
        var value = Self.value
        value.transmit0 = nil
        value.receive1 = value.receive0
        value.receive0 = nil
        let bytes = written(240) { span in value.write(into: &span, at: 0) }
        let read = PairedTimestamps(bytes: bytes)
        #expect(read?.transmit0 == Self.value.transmit1 && read?.transmit1 == nil)
        #expect(read?.receive0 == Self.value.receive0 && read?.receive1 == nil)
    }

    @Test("Another magic, version or count is rejected")
    func rejected() {
        for (index, byte) in [(0, 0), (1, 0x58), (2, 0), (3, 0), (4, 1), (4, 3), (6, 3), (6, 255), (7, 3)] {
            var bytes = Self.bytes
            bytes[index] = UInt8(byte)
            #expect(PairedTimestamps(bytes: bytes) == nil, "byte \(index) = \(byte)")
        }
    }

    @Test("Another length is rejected")
    func otherLength() {
        for count in 0..<240 { #expect(PairedTimestamps(bytes: Array(Self.bytes.prefix(count))) == nil) }
        #expect(PairedTimestamps(bytes: (Self.bytes + [0])) == nil)
    }

    @Test("Unknown flags and reserved bytes are ignored")
    func reserved() {
        var bytes = Self.bytes
        bytes[5] = 0xFF
        for index in [29, 30, 31, 85, 86, 87, 141, 142, 143] + Array(148..<152) + Array(189..<240) {
            bytes[index] = 0xFF
        }
        #expect(PairedTimestamps(bytes: bytes) == Self.value)
    }

    @Test("Nothing is written if the value does not fit", arguments: [-1, 1, .max, .min])
    func noRoom(offset: Int) {
        let bytes = written(240) { span in !Self.value.write(into: &span, at: offset) }
        #expect(bytes.allSatisfy { $0 == 0xEE })
    }
}
