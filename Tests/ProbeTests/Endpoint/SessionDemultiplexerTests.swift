import LinuxKernel
import NetworkAddresses
import Report
import STAMPSession
import STAMPWire
import Testing

@testable import probe

@Suite struct SessionDemultiplexerTests {
    private static let here = IPAddress("192.0.2.1")!

    private func setting(_ peer: String, port: UInt16) throws -> SessionPlace.Setting {
        let address = try #require(IPAddress(peer))
        return SessionPlace.Setting(
            configuration: SessionSender.Configuration(
                session: 1, ssid: 1, peer: .ip(address), peerPort: 862,
                layout: try ProbeLayout(size: nil, classOfService: false), frameBytes: 400,
                intervalNanoseconds: 1_000_000, timeoutNanoseconds: 2_000_000_000,
                host: HostIdentity(bootHash: 1, hardwareClock: nil)),
            socket: 0, source: Self.here, port: port, peer: SocketAddress(address, port: 862), nextHop: .zero)
    }

    private func packet(from source: String, _ sourcePort: UInt16 = 862, to port: UInt16) throws -> ReceivedHeaders {
        ReceivedHeaders(
            payload: 0..<44, frameBytes: 86, source: SocketAddress(try #require(IPAddress(source)), port: sourcePort),
            destination: Self.here, destinationPort: port, sourceMAC: nil, destinationMAC: nil, vlan: nil,
            hopLimit: 255, dscp: 0, ecn: 0)
    }

    @Test func `A reply belongs to the session of its source address and its destination port`() throws {
        let settings = [
            try setting("192.0.2.2", port: 50_000), try setting("192.0.2.2", port: 50_001),
            try setting("192.0.2.3", port: 50_000), try setting("2001:db8::2", port: 50_000),
        ]
        let demultiplexer = SessionDemultiplexer(settings, peerPort: 862)
        for (index, setting) in settings.enumerated() {
            let reply = try packet(from: "\(setting.peer.address)", to: setting.port)
            #expect(demultiplexer.session(of: reply) == index)
        }
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.3", to: 50_001)) == nil)
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.4", to: 50_000)) == nil)
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.2", to: 862)) == nil)
    }

    @Test(arguments: [1, 2])
    func `A packet from another port than the reflectors' belongs to no session`(count: Int) throws {
        let settings = [try setting("192.0.2.2", port: 50_000), try setting("192.0.2.3", port: 50_000)]
        let demultiplexer = SessionDemultiplexer(Array(settings.prefix(count)), peerPort: 862)
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.2", to: 50_000)) == 0)
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.2", 863, to: 50_000)) == nil)
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.9", to: 50_000)) == nil)
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.2", to: 50_001)) == nil)
    }

    @Test func `Without sessions no packet belongs to one`() throws {
        let demultiplexer = SessionDemultiplexer([], peerPort: 862)
        #expect(demultiplexer.session(of: try packet(from: "192.0.2.2", to: 50_000)) == nil)
    }
}
