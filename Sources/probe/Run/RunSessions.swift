import FastAFPacket
import LinuxKernel
import Logging
import NetworkAddresses
import Report
import STAMPSession
import STAMPWire

/// The sessions of a run, one for each peer with a path, and the endpoint for them.
struct RunSessions: Sendable {
    /// A session with its peer and the way there.
    struct Entry: Sendable {
        var peer: NamedPeer
        var path: PeerPath
        var session: UInt64
        var layout: ProbeLayout
        /// The index of its source port: sessions to one peer have a port each.
        var portIndex: Int
    }

    var entries: [Entry] = []
    /// The peers that have no path, with the errors.
    var unreachable: [(peer: NamedPeer, error: ProbeError)] = []

    /// Looks up the path to each peer. Peers without one are left out; with a single peer its error is thrown.
    static func find(
        _ peers: [NamedPeer], _ options: RunCommand, _ interface: Interface, session: UInt64, _ logger: Logger
    ) throws(ProbeError) -> RunSessions {
        var sessions = RunSessions()
        var portIndices: [Peer: Int] = [:]
        for (position, peer) in peers.enumerated() {
            do throws(ProbeError) {
                let path = try path(to: peer.peer, options, interface)
                let layout = try layout(options, peer.peer, interface, route: path.mtu)
                let portIndex = portIndices[peer.peer, default: 0]
                portIndices[peer.peer] = portIndex + 1
                sessions.entries.append(
                    Entry(
                        peer: peer, path: path,
                        session: position == 0 ? session : UInt64.random(in: 1...UInt64.max), layout: layout,
                        portIndex: portIndex))
            } catch {
                guard peers.count > 1 else { throw error }
                logger.error("\(peer): \(error)")
                sessions.unreachable.append((peer, error))
            }
        }
        if sessions.entries.isEmpty, let first = sessions.unreachable.first { throw first.error }
        return sessions
    }

    private static func path(
        to peer: Peer, _ options: RunCommand, _ interface: Interface
    ) throws(ProbeError) -> PeerPath {
        switch peer {
        case .ip(let address):
            try PeerPath.find(
                address, on: interface, transport: options.common.transport, overrides: options.overrides)
        case .station(let station): try PeerPath.direct(to: station, on: interface)
        }
    }

    /// The probe's layout, whose size is checked against the MTU.
    static func layout(
        _ options: RunCommand, _ peer: Peer, _ interface: Interface, route mtu: Int?
    ) throws(ProbeError) -> ProbeLayout {
        let room = peer.room(mtu: min(interface.mtu, mtu ?? interface.mtu), shape: options.common.shape)
        let layout: ProbeLayout
        do throws(ProbeLayoutError) {
            layout = try ProbeLayout(size: options.size, classOfService: options.dscp > 0)
        } catch {
            throw .usage("--size: \(error).")
        }
        guard layout.size <= room else {
            throw .usage(
                "Packets of \(layout.size) bytes do not fit the MTU of \(interface.name): at most \(room) do.")
        }
        return layout
    }

    /// The families of the sessions: true for IPv4. Without IP there is only one.
    func families(_ transport: Transport) -> [Bool] {
        guard transport.hasIP else { return [true] }
        return [true, false].filter { isIPv4 in entries.contains { $0.path.source.isIPv4 == isIPv4 } }
    }

    /// The only peer, and nil if there are several.
    var only: Entry? { entries.count == 1 ? entries.first : nil }

    /// Removes the neighbour entries that were created for this run.
    func removeNeighbours(on interface: Interface) {
        for entry in entries { entry.path.removeNeighbour(on: interface) }
    }

    /// Opens the sockets of the senders.
    func openSenders(_ setting: EndpointSetting, _ options: RunCommand) throws(ProbeError) -> [EndpointSocket] {
        var sockets: [EndpointSocket] = []
        for isIPv4 in families(setting.transport) {
            let sources = Dictionary(
                grouping: entries.filter { !setting.transport.hasIP || $0.path.source.isIPv4 == isIPv4 },
                by: { setting.transport == .udp ? $0.path.source : (isIPv4 ? .v4(0) : .v6(0)) })
            for group in sources.values.sorted(by: { $0[0].session < $1[0].session }) {
                let first = group[0]
                sockets += try EndpointSocket.senders(
                    setting,
                    EndpointSocket.Peers(
                        source: first.path.source, only: group.count == 1 ? first.peer.peer.address : nil,
                        portCount: (group.map(\.portIndex).max() ?? 0) + 1, firstPort: options.sourcePort,
                        port: options.common.port))
            }
        }
        return sockets
    }

    /// The settings of the sessions on these sockets.
    func settings(
        _ sockets: [EndpointSocket], _ options: RunCommand, _ host: HostIdentity
    ) -> [SessionPlace.Setting] {
        let spread = options.intervalNanoseconds / Int64(max(1, entries.count))
        return entries.enumerated().compactMap { position, entry in
            guard
                let index = sockets.firstIndex(where: { socket in
                    !socket.isReflector && serves(socket, entry, sockets)
                })
            else { return nil }
            let socket = sockets[index]
            let port = socket.ports.lowerBound &+ (socket.ports.count > 1 ? UInt16(entry.portIndex) : 0)
            var configuration = configuration(entry, socket, options, host)
            if entries.count > 1 { configuration.phaseNanoseconds = spread &* Int64(position) }
            let address = entry.peer.peer.address
            let isLinkLocal = address.isLinkLocal && !address.isIPv4
            return SessionPlace.Setting(
                configuration: configuration, socket: index, source: entry.path.source, port: port,
                peer: SocketAddress(
                    address, port: options.common.port,
                    scope: isLinkLocal ? UInt32(clamping: socket.setting.interface.index) : 0),
                nextHop: entry.path.macAddress)
        }
    }

    /// Returns whether a session uses a socket: that of its family, and over ordinary sockets that of its address and
    /// port.
    private func serves(_ socket: EndpointSocket, _ entry: Entry, _ sockets: [EndpointSocket]) -> Bool {
        switch socket.transport {
        case .l2: return true
        case .packet: return socket.isIPv4 == entry.path.source.isIPv4
        case .udp:
            let source = entry.path.source
            let ofSource = sockets.filter { !$0.isReflector && $0.conn.localSocketAddress?.address == source }
            return entry.portIndex < ofSource.count && ofSource[entry.portIndex] === socket
        }
    }

    private func configuration(
        _ entry: Entry, _ socket: EndpointSocket, _ options: RunCommand, _ host: HostIdentity
    ) -> SessionSender.Configuration {
        let headers = socket.probeHeaders(
            source: entry.path.source, port: socket.ports.lowerBound,
            peer: SocketAddress(entry.peer.peer.address, port: options.common.port), nextHop: .zero,
            dscp: options.dscp)
        var configuration = SessionSender.Configuration(
            session: entry.session, ssid: UInt16.random(in: 1...UInt16.max),
            peer: entry.peer.peer.station.map(PeerAddress.station) ?? .ip(entry.peer.peer.address),
            peerPort: options.common.port, layout: entry.layout,
            frameBytes: headers.frameBytes(payload: entry.layout.size),
            intervalNanoseconds: options.intervalNanoseconds, timeoutNanoseconds: options.timeout.nanoseconds,
            host: host)
        configuration.schedule = options.schedule.pattern(seed: entry.session)
        configuration.count = options.probes
        configuration.dscp = options.dscp
        configuration.hopLimit = options.ttl
        configuration.hasIP = socket.transport.hasIP
        configuration.expectedStamps = StampKinds(socket.conn.transmitStamps)
        configuration.usesHardwareOnly = options.common.stamps.usesHardwareOnly
        return configuration
    }
}
