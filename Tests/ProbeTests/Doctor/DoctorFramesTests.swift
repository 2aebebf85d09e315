import LinuxKernel
import NetworkAddresses
import STAMPWire
import Testing

@testable import FastAFPacket
@testable import probe

/// The frames that the doctor sends, and the classification of received frames.
@Suite struct DoctorFramesTests {
    private let source = MACAddress(rawValue: 0x0211_2233_4455)
    private let target = MACAddress(rawValue: 0x0266_7788_99AA)
    private let template = UDPFrameTemplate(
        destinationMAC: MACAddress(rawValue: 0x0266_7788_99AA), sourceMAC: MACAddress(rawValue: 0x0211_2233_4455),
        source: .v4(0xC000_0201), destination: .v4(0xC000_0202), sourcePort: 50000, destinationPort: 862)

    @Test func `An ordinary frame has the local experimental ethertype and the minimum length`() {
        let frame = DoctorFrames.ordinary(to: target, from: source)
        #expect(frame.count == 60)
        #expect(frame[0..<6] == [0x02, 0x66, 0x77, 0x88, 0x99, 0xAA])
        #expect(frame[6..<12] == [2, 0x11, 0x22, 0x33, 0x44, 0x55])
        #expect(frame[12..<14] == [0x88, 0xB5])
    }

    @Test func `A PTP frame is a Sync of domain 127 to the group address that bridges do not forward`() {
        let frame = DoctorFrames.sync(from: source, sequence: 0x0203)
        #expect(frame.count == 60)
        #expect(frame[0..<6] == [0x01, 0x80, 0xC2, 0, 0, 0x0E] && frame[12..<14] == [0x88, 0xF7])
        // IEEE 1588-2019 13.3: type and major SDO id, version, length, domain.
        #expect(frame[14..<20] == [0x00, 0x02, 0, 44, 127, 0])
        #expect(frame[20..<34].allSatisfy { $0 == 0 })
        #expect(frame[34..<44] == [2, 0x11, 0x22, 0xFF, 0xFE, 0x33, 0x44, 0x55, 0, 1])
        #expect(frame[44..<48] == [2, 3, 0, 0x7F])
        #expect(frame[48...].allSatisfy { $0 == 0 })
    }

    @Test func `A probe is a valid STAMP packet, and needs addresses of one family`() throws {
        let frame = try #require(DoctorFrames.probe(template, sequence: 7, time: 1_700_000_000_000_000_000))
        let datagram = try UDPFrame(decoding: frame.span.bytes)
        #expect(datagram.destinationPort == 862 && datagram.payload.count == 44)
        let decoded = SenderPacket(decoding: frame.span.bytes.extracting(datagram.payload))
        let packet = try #require(decoded)
        #expect(packet.sequence == 7 && !packet.errorEstimate.synchronized)
        #expect(packet.timestampNanoseconds(near: 1_700_000_000_000_000_000) == 1_700_000_000_000_000_000)
        var mixed = template
        mixed.destination = .v6(1)
        #expect(DoctorFrames.probe(mixed, sequence: 0, time: 0) == nil)
    }

    /// A STAMP reply to the template's flow.
    private func reply(_ sequence: UInt32, _ change: (inout UDPFrameTemplate) -> Void = { _ in }) -> [UInt8] {
        var back = UDPFrameTemplate(
            destinationMAC: source, sourceMAC: target, source: template.destination, destination: template.source,
            sourcePort: template.destinationPort, destinationPort: template.sourcePort)
        change(&back)
        let packet = ReflectorPacket(
            sequence: 0, transmitTimestamp: 1, errorEstimate: ErrorEstimate(rawValue: 1), ssid: 0,
            receiveTimestamp: 1, senderSequence: sequence, senderTimestamp: 1,
            senderErrorEstimate: ErrorEstimate(rawValue: 1), senderTTL: 255)
        var frame = [UInt8](repeating: 0, count: back.headerLength + 44)
        var span = frame.mutableSpan
        var bytes = span.mutableBytes
        _ = back.writeHeaders(into: &bytes, payloadLength: 44)
        var payload = bytes._mutatingExtracting(back.headerLength...)
        _ = packet.write(into: &payload)
        back.writeChecksum(into: &bytes, payloadLength: 44)
        return frame
    }

    @Test func `Only a whole packet from the peer's reflector to a probe that was sent is a reply`() {
        func isReply(_ frame: [UInt8]) -> Bool { DoctorFrames.isReply(frame.span.bytes, to: template, probes: 4) }
        #expect(isReply(reply(0)) && isReply(reply(3)))
        #expect(!isReply(reply(4)) && !isReply(reply(.max)))
        #expect(!isReply(reply(0) { $0.source = .v4(1) }) && !isReply(reply(0) { $0.destination = .v4(1) }))
        #expect(!isReply(reply(0) { $0.sourcePort = 863 }) && !isReply(reply(0) { $0.destinationPort = 1 }))
        for length in 0..<reply(0).count { #expect(!isReply(Array(reply(0)[..<length])), "\(length)") }
        #expect(!isReply(DoctorFrames.ordinary(to: target, from: source)))
    }

    @Test
    func `PTP event messages over Ethernet are a kind of their own; general messages and PTP over UDP have no kind`() {
        func kind(_ frame: [UInt8], _ type: UInt16) -> FrameKind? {
            DoctorFrames.kind(of: frame.span.bytes, etherType: type)
        }
        var ptp = DoctorFrames.sync(from: source, sequence: 0)
        for type in 0..<16 as Range<UInt8> {
            ptp[14] = 0x10 | type
            #expect(kind(ptp, 0x88F7) == (type < 8 ? .ptp : nil), "\(type)")
        }
        #expect(kind(Array(ptp[..<14]), 0x88F7) == nil)
        #expect(kind(DoctorFrames.ordinary(to: target, from: source), 0x88B5) == .ordinary)
        #expect(kind(reply(0), 0x0800) == .ordinary && kind([], 0x0806) == .ordinary)
        for port in [319, 320] as [UInt16] { #expect(kind(reply(0) { $0.destinationPort = port }, 0x0800) == nil) }
    }

    /// SplitMix64, so that a failure can be repeated.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test func `Random frames are no replies, and their kind follows from the ethertype and the PTP message type`() {
        for seed in 0..<2000 as Range<UInt64> {
            var random = Generator(state: seed)
            let bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let isReply = DoctorFrames.isReply(bytes.span.bytes, to: template, probes: 4)
            #expect(!isReply, "seed \(seed)")
            let isEvent = bytes.count > 14 && bytes[14] & 0x0F < 8
            for type in [0x88F7, 0x0800, 0x86DD, 0x0806] as [UInt16] {
                let kind = DoctorFrames.kind(of: bytes.span.bytes, etherType: type)
                let expected: FrameKind? = type != 0x88F7 ? .ordinary : isEvent ? .ptp : nil
                #expect(kind == expected, "seed \(seed), ethertype \(type)")
            }
        }
    }
}

/// The matching of timestamps to frames by ID.
@Suite struct FrameTrialAccountTests {
    private func stamp(_ id: UInt32, _ stage: TransmitStamp.Stage, software: Int64? = nil, hardware: Int64? = nil)
        -> TransmitStamp
    {
        TransmitStamp(id: id, stage: stage, stamps: SocketTimestamps(software: software, hardware: hardware))
    }

    @Test func `Timestamps of each kind are counted with the frames of their kind`() {
        var account = FrameTrialAccount()
        account.record(id: 70, .ordinary, time: 100)
        account.record(id: 9, .ptp, time: 100)
        account.record(stamp(9, .sched, software: 110))
        account.record(stamp(70, .sched, software: 120))
        account.record(stamp(70, .sent, software: 150))
        account.record(stamp(70, .sent, hardware: 3))
        account.record(stamp(9, .sent, software: 190, hardware: 4))
        #expect(account.trial.ordinary == .init(frames: 1, sched: 1, software: 1, hardware: 1))
        #expect(account.trial.ptp == .init(frames: 1, sched: 1, software: 1, hardware: 1))
        #expect(account.trial.matchedStamps == 5 && account.trial.unmatchedStamps == 0)
        #expect(account.trial.longestQueueing == 80)
    }

    @Test
    func
        `A timestamp with an unknown ID, of a kind that arrived before, earlier than its frame, or empty, is unmatched`()
    {
        var account = FrameTrialAccount()
        account.record(id: 1, .ordinary, time: 100)
        account.record(stamp(1, .sched, software: 100))
        for wrong in [
            stamp(2, .sched, software: 200), stamp(1, .sched, software: 200), stamp(1, .sent, software: 99),
            stamp(1, .sent), stamp(1, .completed, software: 200),
        ] {
            account.record(wrong)
        }
        #expect(account.trial.matchedStamps == 1 && account.trial.unmatchedStamps == 5)
        #expect(account.trial.ordinary == .init(frames: 1, sched: 1, software: 0, hardware: 0))
    }

    @Test func `Received frames are counted by their kind and their timestamps`() {
        var account = FrameTrialAccount()
        account.record(received: .ordinary, SocketTimestamps(software: 1))
        account.record(received: .ordinary, SocketTimestamps())
        account.record(received: .ptp, SocketTimestamps(software: 1, hardware: 2))
        #expect(account.trial.receivedOrdinary == .init(frames: 2, software: 1, hardware: 0))
        #expect(account.trial.receivedPTP == .init(frames: 1, software: 1, hardware: 1))
    }
}
