import FastAFPacket
import LinuxKernel
import Logging
import NetworkAddresses
import STAMPSession

extension PairedRun {
    /// Opens the sockets that answer the peers' probes; none if the user or another instance does not leave it to this
    /// run.
    func openReflectors(
        _ sessions: RunSessions, _ setting: EndpointSetting
    ) throws(ProbeError) -> [EndpointSocket] {
        guard !options.noReflect else { return [] }
        let port = options.common.port
        var sockets: [EndpointSocket] = []
        for isIPv4 in sessions.families(setting.transport) {
            do throws(ProbeError) {
                sockets.append(
                    try EndpointSocket.reflector(
                        setting, port: port, isIPv4: isIPv4, admission(sessions, isIPv4: isIPv4, setting)))
            } catch {
                // The ports of the other family are released, so that this process is not taken for the owner.
                for socket in sockets { socket.close() }
                sockets.removeAll()
                guard case .portInUse = error, !options.logReflected,
                    let owner = RunningProcess.owner(ofUDPPort: port), owner.name == "probe"
                else { throw error }
                logger.notice(
                    """
                    UDP port \(port) is in use by pid \(owner.id) (\(owner.command)): this run measures without answering, \
                    as with `--no-reflect`.
                    """)
                return []
            }
        }
        return sockets
    }

    private func admission(
        _ sessions: RunSessions, isIPv4: Bool, _ setting: EndpointSetting
    ) -> Admission {
        let entries = sessions.entries.filter {
            !setting.transport.hasIP || $0.path.source.isIPv4 == isIPv4
        }
        return Admission(
            sources: Self.networks(entries), destinations: Array(Set(entries.map(\.path.source))))
    }

    /// The addresses of the peers as networks of one address each.
    private static func networks(_ entries: [RunSessions.Entry]) -> [IPNetwork] {
        Set(entries.map(\.peer.peer.address)).compactMap {
            IPNetwork(address: $0, prefixLength: $0.bitWidth)
        }
    }

    func reflectorConfiguration(
        _ sessions: RunSessions, _ socket: EndpointSocket, _ host: HostIdentity, isSampled: Bool
    ) -> SessionReflector.Configuration {
        var configuration = SessionReflector.Configuration(
            instance: session, host: host, port: options.common.port)
        configuration.allowed = Self.networks(sessions.entries)
        configuration.writesRows = options.logReflected || isSampled
        configuration.timeoutNanoseconds = options.timeout.nanoseconds
        configuration.hasIP = socket.transport.hasIP
        configuration.expectedStamps = StampKinds(socket.conn.transmitStamps)
        configuration.usesHardwareOnly = options.common.stamps.usesHardwareOnly
        return configuration
    }
}

extension RunningProcess {
    /// The name and the first argument, such as "probe reflect".
    var command: String { ([name] + arguments.dropFirst().prefix(1)).joined(separator: " ") }
}
