import LinuxKernel
import NetworkAddresses
import STAMPSession

/// A session-sender at its endpoint: with its socket, its headers and its port.
final class SessionPlace {
    /// The settings of a session at its endpoint.
    struct Setting: Sendable {
        var configuration: SessionSender.Configuration
        /// The index of its socket among those of the endpoint.
        var socket: Int
        var source: IPAddress
        var port: UInt16
        var peer: SocketAddress
        /// The MAC address of the next hop; zero if the kernel resolves it.
        var nextHop: MACAddress
    }

    let setting: Setting
    let host: SessionRows
    var sender: SessionSender
    var headers: PacketHeaders
    /// The probes that waited for transmit timestamps when it was last advanced.
    var pendingStamps = 0
    /// True if it has received packets or timestamps since it was advanced.
    var isTouched = false

    init(_ setting: Setting, _ socket: EndpointSocket, _ host: SessionRows, at now: HostTime) {
        self.setting = setting
        self.host = host
        headers = socket.probeHeaders(
            source: setting.source, port: setting.port, peer: setting.peer, nextHop: setting.nextHop,
            dscp: setting.configuration.dscp)
        sender = SessionSender(setting.configuration, host: host, at: now)
    }

    /// Follows a change of the next hop.
    func follow(nextHop: MACAddress) {
        guard nextHop != .zero, nextHop != headers.destinationMAC else { return }
        headers.destinationMAC = nextHop
        host.push(.nextHop(nextHop, host.source))
    }
}

/// Finds the session of a received reply by its addresses and ports.
struct SessionDemultiplexer {
    private struct Key: Hashable {
        var peer: IPAddress
        var port: UInt16
    }

    private let sessions: [Key: Int]
    private let only: (key: Key, session: Int)?
    private let peerPort: UInt16

    /// - Parameter peerPort: the port of the reflectors.
    init(_ settings: [SessionPlace.Setting], peerPort: UInt16) {
        let keys = settings.enumerated().map { (Key(peer: $1.peer.address, port: $1.port), $0) }
        sessions = Dictionary(keys, uniquingKeysWith: { first, _ in first })
        only = keys.count == 1 ? keys.first : nil
        self.peerPort = peerPort
    }

    /// The index of the session that a reply belongs to; nil for a packet of no session.
    func session(of received: ReceivedHeaders) -> Int? {
        guard received.source.port == peerPort else { return nil }
        let key = Key(peer: received.source.address, port: received.destinationPort)
        if let only { return only.key == key ? only.session : nil }
        return sessions[key]
    }
}
