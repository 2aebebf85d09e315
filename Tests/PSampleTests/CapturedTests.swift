import NetworkAddresses
import STAMPWire
import Testing

@testable import Netlink
@testable import PSample

/// Samples from Linux 6.12: of `tc … action sample` with a cookie, and of netdevsim.
@Suite struct CapturedTests {
    private let cookie = Array("probe".utf8)

    /// The STAMP packet in a sample.
    private func stamp(_ packet: SampledPacket) -> STAMPFrame? {
        STAMPFrame(decoding: packet.data.span.bytes, wholeLength: packet.sample.originalSize.map { Int($0) })
    }

    @Test func `A sample of an outgoing probe is decoded`() throws {
        let packet = try decode(message: Captured.probe)
        var expected = Sample()
        expected.outputInterface = 2
        expected.rate = 1
        expected.originalSize = 358
        expected.group = 5
        expected.sequence = 0
        expected.timestamp = 0x18EA_2775_A389_A5DF
        expected.protocolNumber = 0x0800
        #expect(packet.sample == expected && packet.data.count == 358 && packet.userCookie == cookie)
        let found = stamp(packet)
        #expect(found?.kind == .probe && found?.sequence == 0 && found?.source == IPAddress("192.168.56.101"))
    }

    @Test func `A truncated sample of an incoming reply is decoded`() throws {
        let packet = try decode(message: Captured.reply)
        #expect(packet.sample.inputInterface == 2 && packet.sample.outputInterface == nil)
        #expect(packet.sample.originalSize == 378 && packet.data.count == 96 && packet.userCookie == cookie)
        let found = stamp(packet)
        #expect(found?.kind == .reply && found?.source == IPAddress("fd00:862::102") && found?.probeSequence == 0)
    }

    @Test func `A sample shorter than the packet's headers has no STAMP packet`() throws {
        let packet = try decode(message: Captured.ping)
        #expect(packet.sample.originalSize == 98 && packet.data.count == 20 && stamp(packet) == nil)
    }

    @Test func `A STAMP reply without IP is found in its sample`() throws {
        let packet = try decode(message: Captured.withoutIP)
        #expect(packet.sample.protocolNumber == 0x88B5)
        let found = STAMPFrame(decoding: packet.data.span.bytes, port: 863)
        #expect(found?.kind == .reply && found?.hasIP == false && found?.probeSequence == 0)
        #expect(found?.source == .linkLocal(of: MACAddress(rawValue: 0x5254_0086_2102)))
    }

    @Test func `A switch reports latency, traffic class and occupancy`() throws {
        let sample = try decode(message: Captured.netdevsim).sample
        #expect(sample.inputInterface == 1 && sample.outputInterface == 2 && sample.rate == 100)
        #expect(sample.outputTrafficClass == 3 && sample.outputOccupancy == 52599 && sample.latency == 346_420)
        let plain = try decode(message: Captured.netdevsimPlain)
        #expect(plain.sample.latency == nil && plain.sample.outputTrafficClass == nil && plain.data.count == 40)
        #expect(plain.sample.outputOccupancy == nil && plain.sample.timestamp != nil && plain.userCookie == nil)
    }
}
