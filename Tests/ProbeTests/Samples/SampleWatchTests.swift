import LinuxKernel
import Logging
import Netlink
import NetworkAddresses
import PSample
import Report
import Testing

@testable import probe

@Suite struct SampleWatchTests {
    static let ipv4 = SampledFlow(
        interface: 2, local: .v4(0xC0A8_3865), peer: .v4(0xC0A8_3866), port: 862, senderPort: 56337, ssid: 0xD496)
    static let ipv6 = SampledFlow(
        interface: 2, local: address("fd00:862::101"), peer: address("fd00:862::102"), port: 862, senderPort: 64037,
        ssid: 0x088D)

    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(0) }

    /// The samples and counts of a listener that receives these datagrams.
    private func receive(
        _ datagrams: [[UInt8]], _ flow: SampledFlow = ipv4, group: UInt32 = 5, capacity: Int = 64
    ) throws -> (samples: [PendingSample], counts: SampleComparison.Counts) {
        let connection = NetlinkConnection(portID: 1, notifications: datagrams, simulating: { _ in [] })
        let family = GenericFamily(name: "psample", identifier: 0x23, version: 1, groups: [:])
        let stop = try StopSignal()
        stop.raise()
        let listener = SampleWatch(
            SampleSubscription(connection, family, groups: [group]), group: group, flow, capacity: capacity, stop,
            Logger(label: "test"))
        let counts = listener.run()
        var samples: [PendingSample] = []
        while let sample = listener.ring.pop() { samples.append(sample) }
        return (samples, counts)
    }

    @Test func `The local session's packets are identified in both directions`() throws {
        let (samples, counts) = try receive([CapturedSample.probeOut, CapturedSample.replyIn])
        #expect(
            samples == [
                PendingSample(
                    packet: .probe, sequence: 2, isLocalSession: true, senderPort: Self.ipv4.senderPort,
                    time: 1_795_290_787_834_160_302, latency: nil,
                    probability: 1),
                PendingSample(
                    packet: .reply, sequence: 2, isLocalSession: true, senderPort: Self.ipv4.senderPort,
                    time: 1_795_290_787_868_830_451, latency: nil,
                    probability: 1),
            ])
        #expect(counts.heard == 2)
        #expect(counts.local == 2)
    }

    @Test func `The peer's session is identified in both directions`() throws {
        var flow = Self.ipv4
        (flow.local, flow.peer, flow.senderPort) = (flow.peer, flow.local, 50_000)
        // The other host receives what this one sends, and sends what this one receives.
        let received = CapturedSample.probeOut.withInterface(input: true)
        let sent = CapturedSample.replyIn.withInterface(input: false)
        let (samples, _) = try receive([received, sent], flow)
        #expect(samples.map(\.isLocalSession) == [false, false])
        #expect(samples.map(\.packet) == [.probe, .reply])
        #expect(samples.map(\.sequence) == [2, 2])
    }

    @Test func `Samples that are truncated after the sequence number are identified`() throws {
        let (samples, counts) = try receive(
            [CapturedSample.cutProbeOut, CapturedSample.cutReplyIn], Self.ipv6, group: 7)
        #expect(samples.map(\.sequence) == [2, 2])
        #expect(samples.map(\.packet) == [.probe, .reply])
        #expect(counts.tooShort == 0)
    }

    @Test(arguments: [14, 20, 53, 61, 62, 65])
    func `Samples that are truncated before the sequence number are counted`(bytes: Int) throws {
        let (samples, counts) = try receive([CapturedSample.cutProbeOut.withData(bytes)], Self.ipv6, group: 7)
        #expect(samples.isEmpty)
        #expect(counts.tooShort == 1)
        #expect(counts.heard == 1)
    }

    @Test func `A sample is identified if it includes the sequence number`() throws {
        // 62 bytes of headers, and 4 of the sequence number.
        for sample in [CapturedSample.cutProbeOut, CapturedSample.cutReplyIn] {
            #expect(try receive([sample.withData(65)], Self.ipv6, group: 7).counts.tooShort == 1)
            #expect(try receive([sample.withData(66)], Self.ipv6, group: 7).samples.count == 1)
        }
    }

    @Test func `Third-party frames are ignored`() throws {
        let (samples, counts) = try receive([CapturedSample.ping])
        #expect(samples.isEmpty)
        #expect(counts.heard == 1)
        #expect(counts.local + counts.tooShort + counts.elsewhere == 0)
        // This one is too short to identify.
        #expect(try receive([CapturedSample.tooShort], group: 7).counts.tooShort == 1)
    }

    @Test func `Packets with another port, SSID or peer are ignored`() throws {
        var flow = Self.ipv4
        flow.senderPort = 56338
        #expect(try receive([CapturedSample.probeOut, CapturedSample.replyIn], flow).samples.isEmpty)
        flow = Self.ipv4
        flow.ssid = 1
        #expect(try receive([CapturedSample.probeOut, CapturedSample.replyIn], flow).samples.isEmpty)
        flow = Self.ipv4
        flow.peer = .v4(0xC0A8_3867)
        #expect(try receive([CapturedSample.probeOut, CapturedSample.replyIn], flow).samples.isEmpty)
    }

    @Test func `Samples of another group are not received`() throws {
        #expect(try receive([CapturedSample.probeOut], group: 6).counts.heard == 0)
    }

    @Test func `Frames without IP are identified by their MAC addresses`() throws {
        var flow = Self.ipv4
        flow.local = .linkLocal(of: MACAddress(rawValue: 0x5254_0086_2101))
        flow.peer = .linkLocal(of: MACAddress(rawValue: 0x5254_0086_2102))
        (flow.port, flow.senderPort, flow.ssid) = (863, 0xC729, 0x960C)
        let (samples, _) = try receive([CapturedSample.withoutIP], flow)
        #expect(samples.map(\.sequence) == [0])
    }

    @Test func `Samples from another interface, or in the other direction, are counted separately`() throws {
        var flow = Self.ipv4
        flow.interface = 3
        #expect(try receive([CapturedSample.probeOut], flow).counts.elsewhere == 1)
        #expect(try receive([CapturedSample.probeOut.withInterface(input: true)]).counts.elsewhere == 1)
        // Of an interface number above 65535, the kernel reports the low 16 bits.
        flow.interface = 65538
        #expect(try receive([CapturedSample.probeOut], flow).samples.count == 1)
    }

    @Test func `Samples that do not fit into the ring are counted as dropped`() throws {
        let (samples, counts) = try receive(Array(repeating: CapturedSample.probeOut, count: 5), capacity: 2)
        #expect(samples.count == 2)
        #expect(counts.local == 5)
        #expect(counts.dropped == 3)
    }

    @Test func `Gaps in the group's sequence numbers are lost samples`() throws {
        // Sequence numbers 3 and 5.
        #expect(try receive([CapturedSample.probeOut, CapturedSample.replyIn]).counts.lost == 1)
    }

    @Test func `A malformed message is counted, and the next sample is received`() throws {
        var cut = CapturedSample.probeOut
        // The first attribute is longer than the message.
        cut[20] = 0xFF
        cut[21] = 0xFF
        let (samples, counts) = try receive([cut, CapturedSample.replyIn])
        #expect(counts.damaged == 1)
        #expect(samples.count == 1)
    }
}

extension [UInt8] {
    /// The sample with its interface number in the attribute for received packets or for sent packets.
    fileprivate func withInterface(input: Bool) -> [UInt8] {
        var bytes = self
        // The first attribute: length, type, number.
        bytes[22] = input ? 0 : 1
        return bytes
    }

    /// The sample with this many bytes of the frame, as with `trunc`, and without the attributes after the data.
    fileprivate func withData(_ count: Int) -> [UInt8] {
        var offset = 20
        while offset + 4 <= self.count {
            let length = Int(self[offset]) | Int(self[offset + 1]) << 8
            if self[offset + 2] == 6 {
                var bytes = Array(self[..<(offset + 4 + count)])
                bytes[offset] = UInt8(truncatingIfNeeded: count + 4)
                bytes[offset + 1] = UInt8(truncatingIfNeeded: (count + 4) >> 8)
                while bytes.count % 4 != 0 { bytes.append(0) }
                bytes[0] = UInt8(truncatingIfNeeded: bytes.count)
                bytes[1] = UInt8(truncatingIfNeeded: bytes.count >> 8)
                return bytes
            }
            offset += (length + 3) & ~3
        }
        return self
    }
}
