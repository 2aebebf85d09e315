import Kernel
import Testing

@testable import FastAFPacket

struct TransmitStampKindsTests {
    @Test("What an interface offers follows from its flags; SCHED is the kernel's own")
    func offered() {
        // veth's 0x1A: TX_SOFTWARE, RX_SOFTWARE, SOFTWARE.
        #expect(TimestampingCapabilities(flags: 0x1A).transmitStamps == [.sched, .software])
        #expect(TimestampingCapabilities(flags: 0).transmitStamps == .sched)
        // TX_HARDWARE needs a transmit type that switches it on.
        #expect(TimestampingCapabilities(flags: 0x03, transmitTypes: 0b01).transmitStamps == [.sched, .software])
        #expect(TimestampingCapabilities(flags: 0x03, transmitTypes: 0b11).transmitStamps == .all)
        #expect(TimestampingCapabilities(flags: 0x01, transmitTypes: 0b10).transmitStamps == [.sched, .hardware])
    }

    @Test("Each kind asks for its own bit of SO_TIMESTAMPING")
    func flags() {
        let kinds: [TransmitStampKinds] = [.hardware, .software, .sched, .all, []]
        #expect(kinds.map(\.generationFlags) == [1, 2, 1 << 8, 0x103, 0])
    }

    @Test("A message brings the kinds whose times are in it")
    func kinds() {
        func kinds(_ stage: TransmitStamp.Stage, _ software: Int64?, _ hardware: Int64?) -> TransmitStampKinds {
            TransmitStamp(id: 0, stage: stage, stamps: SocketTimestamps(software: software, hardware: hardware)).kinds
        }
        #expect(kinds(.sched, 1, nil) == .sched)
        #expect(kinds(.sent, 1, nil) == .software && kinds(.sent, nil, 1) == .hardware)
        #expect(kinds(.sent, 1, 1) == [.software, .hardware] && kinds(.sent, nil, nil) == [])
        #expect(kinds(.acknowledged, 1, 1) == [] && kinds(.completed, 1, 1) == [])
    }

    @Test("The options of two sockets: stamps asked for on the send half, receive stamps on the other")
    func options() {
        let options = StampOptions(transmit: [.sched, .software], receive: true, carriesPacket: false)
        // TX_SOFTWARE, SOFTWARE, RAW_HARDWARE, OPT_ID, TX_SCHED, OPT_TSONLY, OPT_TX_SWHW.
        #expect(options.senderFlags == 1 << 1 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 11 | 1 << 14)
        // RX_HARDWARE, RX_SOFTWARE, SOFTWARE, RAW_HARDWARE.
        #expect(options.receiverFlags == 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6)
        let carrying = StampOptions(transmit: .software, receive: false, carriesPacket: true)
        #expect(carrying.senderFlags & 1 << 11 == 0 && carrying.receiverFlags == 0)
        let none = StampOptions(transmit: [], receive: false, carriesPacket: false)
        #expect(none.senderFlags == 0 && none.receiverFlags == 0)
    }

    @Test("Kinds read as words")
    func description() {
        #expect(
            "\(TransmitStampKinds.all)" == "sched software hardware" && "\(TransmitStampKinds.hardware)" == "hardware")
    }
}
