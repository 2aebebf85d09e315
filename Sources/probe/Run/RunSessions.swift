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

    /// The number of paths that are looked up at a time: a next hop that does not answer takes a second.
    private static let lookupLimit = 64
    /// The number of peers without a path that are reported one by one.
    private static let reportLimit = 5

    /// Looks up the path to each peer. Peers without one are left out; with a single peer its error is thrown.
    static func find(
        _ peers: [NamedPeer], _ options: RunCommand, _ interface: Interface, session: UInt64, _ logger: Logger
    ) async throws -> RunSessions {
        var sessions = RunSessions()
        var portIndices: [Peer: Int] = [:]
        let paths = await paths(
            to: Set(peers.map(\.peer)), options.common.transport, options.overrides, interface)
        for (position, peer) in peers.enumerated() {
            do throws(ProbeError) {
                guard let path = try paths[peer.peer]?.get() else { continue }
                let layout = try layout(options, peer.peer, interface, route: path.mtu)
                let portIndex = portIndices[peer.peer, default: 0]
                portIndices[peer.peer] = portIndex + 1
                sessions.entries.append(
                    Entry(
                        peer: peer, path: path,
                        session: position == 0 ? session : UInt64.random(in: 1...UInt64.max), layout: layout,
                        portIndex: portIndex))
            } catch {
                sessions.unreachable.append((peer, error))
            }
        }
        guard !sessions.entries.isEmpty else { throw sessions.noPath }
        for (peer, error) in sessions.unreachable.prefix(reportLimit) { logger.warning("\(peer): \(error)") }
        let others = sessions.unreachable.count - reportLimit
        if others > 0 { logger.warning("\(others) more peers have no path. The table at the end lists them.") }
        return sessions
    }

    /// The error of a run in which no peer has a path.
    private var noPath: ProbeError {
        guard let first = unreachable.first else { return .internalFault("no peer") }
        guard unreachable.count > 1 else { return first.error }
        return .peerFailed(
            "None of the \(unreachable.count) peers has a path. The first: \(first.peer): \(first.error)",
            exitCode: first.error.exitCode)
    }

    /// Looks up the paths on threads of their own, because a lookup waits for the next hop's answer.
    private static func paths(
        to peers: Set<Peer>, _ transport: Transport, _ overrides: PeerPath.Overrides, _ interface: Interface
    ) async -> [Peer: Result<PeerPath, ProbeError>] {
        var paths: [Peer: Result<PeerPath, ProbeError>] = [:]
        var waiting = peers.makeIterator()
        await withTaskGroup(of: (Peer, Result<PeerPath, ProbeError>).self) { group in
            func lookUpNext() {
                guard let peer = waiting.next() else { return }
                group.addTask {
                    do throws(SystemError) {
                        let path = try await PacketThread.run(named: "probe-lookup") {
                            Result { () throws(ProbeError) in try lookUp(peer, transport, overrides, interface) }
                        }
                        return (peer, path)
                    } catch {
                        return (peer, .failure(.system(error)))
                    }
                }
            }
            for _ in 0..<lookupLimit { lookUpNext() }
            for await (peer, path) in group {
                paths[peer] = path
                lookUpNext()
            }
        }
        return paths
    }

    private static func lookUp(
        _ peer: Peer, _ transport: Transport, _ overrides: PeerPath.Overrides, _ interface: Interface
    ) throws(ProbeError) -> PeerPath {
        switch peer {
        case .ip(let address):
            try PeerPath.find(address, on: interface, transport: transport, overrides: overrides)
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

    /// True if the user named several peers, also if only one of them has a path.
    var hasSeveralPeers: Bool { entries.count + unreachable.count > 1 }

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

    /// The settings of the sessions on these sockets, in the order of the sessions.
    func settings(
        _ sockets: [EndpointSocket], _ options: RunCommand, _ host: HostIdentity
    ) throws(ProbeError) -> [SessionPlace.Setting] {
        let spread = options.intervalNanoseconds / Int64(max(1, entries.count))
        var settings: [SessionPlace.Setting] = []
        for (position, entry) in entries.enumerated() {
            guard let index = sockets.firstIndex(where: { serves($0, entry, sockets) }) else {
                throw .internalFault("no socket sends to \(entry.peer)")
            }
            let socket = sockets[index]
            let port = socket.ports.lowerBound &+ (socket.ports.count > 1 ? UInt16(entry.portIndex) : 0)
            var configuration = configuration(entry, socket, options, host)
            if entries.count > 1 { configuration.phaseNanoseconds = spread &* Int64(position) }
            let address = entry.peer.peer.address
            let isLinkLocal = address.isLinkLocal && !address.isIPv4
            settings.append(
                SessionPlace.Setting(
                    configuration: configuration, socket: index, source: entry.path.source, port: port,
                    peer: SocketAddress(
                        address, port: options.common.port,
                        scope: isLinkLocal ? UInt32(clamping: socket.setting.interface.index) : 0),
                    nextHop: entry.path.macAddress))
        }
        return settings
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
