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

    /// What a listener makes of datagrams that the kernel sends.
    private func hear(
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

    @Test func `the local session's packets are known in both directions`() throws {
        let (samples, counts) = try hear([CapturedSample.probeOut, CapturedSample.replyIn])
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

    @Test func `the session that is answered is seen from the other side`() throws {
        var flow = Self.ipv4
        (flow.local, flow.peer, flow.senderPort) = (flow.peer, flow.local, 50_000)
        // What is sent comes in there, and what is received goes out.
        let received = CapturedSample.probeOut.withInterface(input: true)
        let sent = CapturedSample.replyIn.withInterface(input: false)
        let (samples, _) = try hear([received, sent], flow)
        #expect(samples.map(\.isLocalSession) == [false, false])
        #expect(samples.map(\.packet) == [.probe, .reply])
        #expect(samples.map(\.sequence) == [2, 2])
    }

    @Test func `samples that are cut behind the numbers are known`() throws {
        let (samples, counts) = try hear(
            [CapturedSample.cutProbeOut, CapturedSample.cutReplyIn], Self.ipv6, group: 7)
        #expect(samples.map(\.sequence) == [2, 2])
        #expect(samples.map(\.packet) == [.probe, .reply])
        #expect(counts.tooShort == 0)
    }

    @Test(arguments: [14, 20, 53, 61, 62, 65])
    func `samples that are cut before the numbers are counted`(bytes: Int) throws {
        let (samples, counts) = try hear([CapturedSample.cutProbeOut.withData(bytes)], Self.ipv6, group: 7)
        #expect(samples.isEmpty)
        #expect(counts.tooShort == 1)
        #expect(counts.heard == 1)
    }

    @Test func `probe and reply need as much of themselves as has their number`() throws {
        // 62 bytes of headers, and 4.
        for sample in [CapturedSample.cutProbeOut, CapturedSample.cutReplyIn] {
            #expect(try hear([sample.withData(65)], Self.ipv6, group: 7).counts.tooShort == 1)
            #expect(try hear([sample.withData(66)], Self.ipv6, group: 7).samples.count == 1)
        }
    }

    @Test func `frames of others are passed over`() throws {
        let (samples, counts) = try hear([CapturedSample.ping])
        #expect(samples.isEmpty)
        #expect(counts.heard == 1)
        #expect(counts.local + counts.tooShort + counts.elsewhere == 0)
        // Of this one too little is there to know.
        #expect(try hear([CapturedSample.tooShort], group: 7).counts.tooShort == 1)
    }

    @Test func `another session of the same host is none of ours`() throws {
        var flow = Self.ipv4
        flow.senderPort = 56338
        #expect(try hear([CapturedSample.probeOut, CapturedSample.replyIn], flow).samples.isEmpty)
        flow = Self.ipv4
        flow.ssid = 1
        #expect(try hear([CapturedSample.probeOut, CapturedSample.replyIn], flow).samples.isEmpty)
        flow = Self.ipv4
        flow.peer = .v4(0xC0A8_3867)
        #expect(try hear([CapturedSample.probeOut, CapturedSample.replyIn], flow).samples.isEmpty)
    }

    @Test func `another group's samples are not heard`() throws {
        #expect(try hear([CapturedSample.probeOut], group: 6).counts.heard == 0)
    }

    @Test func `frames without IP are known by their stations`() throws {
        var flow = Self.ipv4
        flow.local = .linkLocal(of: MACAddress(rawValue: 0x5254_0086_2101))
        flow.peer = .linkLocal(of: MACAddress(rawValue: 0x5254_0086_2102))
        (flow.port, flow.senderPort, flow.ssid) = (863, 0xC729, 0x960C)
        let (samples, _) = try hear([CapturedSample.withoutIP], flow)
        #expect(samples.map(\.sequence) == [0])
    }

    @Test func `a sampler at another interface, or in the other direction, is none of the run's`() throws {
        var flow = Self.ipv4
        flow.interface = 3
        #expect(try hear([CapturedSample.probeOut], flow).counts.elsewhere == 1)
        #expect(try hear([CapturedSample.probeOut.withInterface(input: true)]).counts.elsewhere == 1)
        // Of a number above 65535 the kernel keeps the lower half.
        flow.interface = 65538
        #expect(try hear([CapturedSample.probeOut], flow).samples.count == 1)
    }

    @Test func `what does not fit into the ring is counted`() throws {
        let (samples, counts) = try hear(Array(repeating: CapturedSample.probeOut, count: 5), capacity: 2)
        #expect(samples.count == 2)
        #expect(counts.local == 5)
        #expect(counts.dropped == 3)
    }

    @Test func `gaps in the group's count are lost samples`() throws {
        // Numbers 3 and 5.
        #expect(try hear([CapturedSample.probeOut, CapturedSample.replyIn]).counts.lost == 1)
    }

    @Test func `a message that is cut is counted, and what follows is heard`() throws {
        var cut = CapturedSample.probeOut
        // The first attribute claims more than there is.
        cut[20] = 0xFF
        cut[21] = 0xFF
        let (samples, counts) = try hear([cut, CapturedSample.replyIn])
        #expect(counts.damaged == 1)
        #expect(samples.count == 1)
    }
}

extension [UInt8] {
    /// The sample with its interface's number under the attribute of received or of sent packets.
    fileprivate func withInterface(input: Bool) -> [UInt8] {
        var bytes = self
        // The first attribute: length, type, number.
        bytes[22] = input ? 0 : 1
        return bytes
    }

    /// The sample with so much of the frame, as `trunc` makes it: what follows the data is left out.
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
