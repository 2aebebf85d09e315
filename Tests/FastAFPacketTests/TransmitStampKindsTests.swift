import LinuxKernel
import Testing

@testable import FastAFPacket

struct TransmitStampKindsTests {
    @Test("The kinds that an interface offers follow from its flags, and SCHED is always offered")
    func offered() {
        // veth's 0x1A: TX_SOFTWARE, RX_SOFTWARE, SOFTWARE.
        #expect(TimestampingCapabilities(flags: 0x1A).transmitStamps == [.sched, .software])
        #expect(TimestampingCapabilities(flags: 0).transmitStamps == .sched)
        // TX_HARDWARE needs a transmit type that switches it on.
        #expect(TimestampingCapabilities(flags: 0x03, transmitTypes: 0b01).transmitStamps == [.sched, .software])
        #expect(TimestampingCapabilities(flags: 0x03, transmitTypes: 0b11).transmitStamps == .all)
        #expect(TimestampingCapabilities(flags: 0x01, transmitTypes: 0b10).transmitStamps == [.sched, .hardware])
    }

    @Test("Each kind requests its bit of SO_TIMESTAMPING")
    func flags() {
        let kinds: [TransmitStampKinds] = [.hardware, .software, .sched, .all, []]
        #expect(kinds.map(\.generationFlags) == [1, 2, 1 << 8, 0x103, 0])
    }

    @Test("A message carries the kinds whose times are in it")
    func kinds() {
        func kinds(_ stage: TransmitStamp.Stage, _ software: Int64?, _ hardware: Int64?) -> TransmitStampKinds {
            TransmitStamp(id: 0, stage: stage, stamps: SocketTimestamps(software: software, hardware: hardware)).kinds
        }
        #expect(kinds(.sched, 1, nil) == .sched)
        #expect(kinds(.sent, 1, nil) == .software && kinds(.sent, nil, 1) == .hardware)
        #expect(kinds(.sent, 1, 1) == [.software, .hardware] && kinds(.sent, nil, nil) == [])
        #expect(kinds(.acknowledged, 1, 1) == [] && kinds(.completed, 1, 1) == [])
    }

    @Test("With two sockets transmit timestamps are requested on the send half, and receive timestamps on the other")
    func options() {
        let options = StampOptions(transmit: [.sched, .software], .init())
        // TX_SOFTWARE, SOFTWARE, RAW_HARDWARE, OPT_ID, TX_SCHED, OPT_TSONLY, OPT_TX_SWHW.
        #expect(options.senderFlags == 1 << 1 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 11 | 1 << 14)
        // RX_HARDWARE, RX_SOFTWARE, SOFTWARE, RAW_HARDWARE.
        #expect(options.receiverFlags == 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6)
        var configuration = PacketConn.Configuration()
        configuration.receiveStamps = false
        configuration.stampsCarryPacket = true
        let carrying = StampOptions(transmit: .software, configuration)
        #expect(carrying.senderFlags & 1 << 11 == 0 && carrying.receiverFlags == 0)
        // A send may still request timestamps: reporting is on, generation is not.
        let none = StampOptions(transmit: [], configuration)
        #expect(none.senderFlags == 1 << 4 | 1 << 6 | 1 << 7 | 1 << 14 && none.receiverFlags == 0)
    }

    @Test("A bound clock adds one flag and the clock's number after the flags, as in struct so_timestamping")
    func boundClock() {
        var configuration = PacketConn.Configuration()
        configuration.boundClock = 0x0102_0304
        let options = StampOptions(transmit: .hardware, configuration)
        let plain = StampOptions(transmit: .hardware, .init())
        #expect(options.senderFlags == plain.senderFlags | 1 << 15)
        #expect(options.receiverFlags == plain.receiverFlags | 1 << 15)
        let bytes = withUnsafeBytes(of: options.value(options.senderFlags)) { Array($0) }
        var expected: [UInt8] = []
        for field in [options.senderFlags, 0x0102_0304] { expected += withUnsafeBytes(of: field) { Array($0) } }
        #expect(bytes == expected)
    }

    @Test("The description lists the kinds")
    func description() {
        #expect(
            "\(TransmitStampKinds.all)" == "sched software hardware" && "\(TransmitStampKinds.hardware)" == "hardware")
    }
}
