import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// How packets travel.
enum Transport: String, CaseIterable, Sendable {
    /// AF_PACKET: whole frames, all timestamps.
    case packet
    /// An ordinary UDP socket: no privilege on ports above 1023.
    case udp
    /// AF_PACKET without IP: Ethernet alone, all timestamps.
    case l2
}

/// One role's way to the network: its connection, the port that it owns, and how a payload is wrapped on it.
///
/// Sender and reflector have a link each, so neither thread shares a socket, an id or a ledger with the other.
final class Endpoint: Sendable {
    let conn: PacketConn
    let setting: Setting
    /// Our own port on this link.
    let port: UInt16
    /// Without IP it says nothing.
    let isIPv4: Bool
    /// Whether received packets can be expected to have the NIC's timestamps.
    let receiveStamping: ReceiveStamping
    private let holder: PortReservation?

    var transport: Transport { setting.transport }
    var interface: Interface { setting.interface }

    /// Room for a received packet: a whole frame of the interface's MTU, tag included, or the largest datagram.
    var packetBytes: Int { transport == .udp ? 65535 : max(2048, interface.mtu + 18) }

    init(
        _ conn: PacketConn, _ setting: Setting, port: UInt16, isIPv4: Bool, holder: consuming PortReservation?
    ) {
        self.conn = conn
        self.setting = setting
        self.port = port
        self.isIPv4 = isIPv4
        receiveStamping = ReceiveStamping(
            conn.hardwareStamping, try? TimestampingCapabilities(of: setting.interface), isPTP: setting.isPTP)
        self.holder = holder
    }

    /// What a link needs besides its role.
    struct Setting: Sendable {
        var transport: Transport
        var interface: Interface
        var stamps: StampChoice
        var hopLimit: UInt8 = 255
        var ethernet = Ethernet()

        /// Whether the frames are PTP event messages.
        var isPTP: Bool { transport == .l2 && ethernet.shape == .ptp }
    }

    /// The session-sender's link: a port of its own, and only what the peer sends from its reflecting port.
    static func sender(
        _ setting: Setting, source: IPAddress, peer: SocketAddress
    ) throws(ProbeError) -> Endpoint {
        switch setting.transport {
        case .packet:
            let holder = try reserveFreePort(isIPv4: source.isIPv4, setting.interface)
            let port = holder.port
            let expression = "udp and dst port \(port) and src port \(peer.port) and src host \(peer.address)"
            let conn = try listen(setting, isIPv4: source.isIPv4, port: port, expression)
            return Endpoint(conn, setting, port: port, isIPv4: source.isIPv4, holder: holder)
        case .l2:
            return try ethernetSender(setting, peerPort: peer.port)
        case .udp:
            let scope = source.isLinkLocal ? UInt32(setting.interface.index) : 0
            for _ in 0..<64 {
                let port = UInt16.random(in: 49152...65535)
                do throws(SystemError) {
                    let conn = try PacketConn.listenUDP(
                        on: SocketAddress(source, port: port, scope: scope), interface: setting.interface,
                        hopLimit: setting.hopLimit)
                    return Endpoint(conn, setting, port: port, isIPv4: source.isIPv4, holder: nil)
                } catch  where error.code == ErrorCode.addressInUse {
                    continue
                } catch {
                    throw .system(error)
                }
            }
            throw .system(SystemError("find a free UDP port", code: ErrorCode.addressInUse))
        }
    }

    /// The session-reflector's link: the port that everybody knows.
    ///
    /// - Parameter admission: over packet sockets, who is answered and where; what arrives over an ordinary socket is looked at later.
    static func reflector(
        _ setting: Setting, port: UInt16, isIPv4: Bool, _ admission: Admission
    ) throws(ProbeError) -> Endpoint {
        switch setting.transport {
        case .packet:
            let holder = try reservePort(port, isIPv4: isIPv4, setting.interface)
            let conn = try listen(setting, isIPv4: isIPv4, port: port, admission.expression(port: port, isIPv4: isIPv4))
            return Endpoint(conn, setting, port: port, isIPv4: isIPv4, holder: holder)
        case .l2:
            return try ethernetReflector(setting, port: port)
        case .udp:
            do throws(SystemError) {
                let conn = try PacketConn.listenUDP(
                    on: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: port), interface: setting.interface)
                return Endpoint(conn, setting, port: port, isIPv4: isIPv4, holder: nil)
            } catch {
                throw refusal(error, .udp, port)
            }
        }
    }

    /// Which probes a reflector takes.
    struct Admission: Hashable, Sendable {
        /// Who is answered; empty for anybody.
        var sources: [IPNetwork]
        /// The addresses that are ours: a packet socket also sees what is only to be forwarded.
        var destinations: [IPAddress]

        func expression(port: UInt16, isIPv4: Bool) -> String {
            // Without an address of our own there is nothing to answer, until there is one.
            let nowhere = isIPv4 ? "dst host 0.0.0.0" : "dst host ::"
            let local = destinations.isEmpty ? nowhere : destinations.map { "dst host \($0)" }.joined(separator: " or ")
            let allowed = sources.map { "src net \($0)" }.joined(separator: " or ")
            return "udp and dst port \(port) and (\(local))"
                + (allowed.isEmpty ? "" : " and (\(allowed))")
        }
    }

    /// Takes up a changed admission, without a gap.
    func admit(_ admission: Admission) throws(ProbeError) {
        guard transport == .packet else { return }
        let filter = try Self.compile(admission.expression(port: port, isIPv4: isIPv4), isIPv4: isIPv4)
        let conn = conn
        try ProbeError.system { () throws(SystemError) in try conn.setFilter(filter) }
    }

    /// Holds a port of a sender's own.
    static func reserveFreePort(isIPv4: Bool, _ interface: Interface) throws(ProbeError) -> PortReservation {
        try ProbeError.system { () throws(SystemError) in
            try PortReservation.ephemeral(isIPv4: isIPv4, on: interface)
        }
    }

    static func reservePort(
        _ port: UInt16, isIPv4: Bool, _ interface: Interface
    ) throws(ProbeError) -> PortReservation {
        do throws(SystemError) {
            return try PortReservation(port: port, isIPv4: isIPv4, on: interface)
        } catch {
            throw refusal(error, .packet, port)
        }
    }

    static func refusal(
        _ error: SystemError, _ transport: Transport, _ port: UInt16
    ) -> ProbeError {
        switch error.code {
        case ErrorCode.addressInUse:
            .portInUse(
                "UDP port \(port) is taken: `ss -lunp sport = :\(port)` shows by whom. Stop that, or give both hosts "
                    + "another one, such as `--port \(port == 8620 ? 8621 : 8620)`.")
        case ErrorCode.accessDenied, ErrorCode.notPermitted:
            Privileges.explain(transport, port: port)
        default:
            .system(error)
        }
    }

    private static func compile(_ expression: String, isIPv4: Bool) throws(ProbeError) -> Filter {
        do throws(FilterError) {
            return try Filter(expression: (isIPv4 ? "ip and " : "ip6 and ") + expression)
        } catch {
            throw .internalFault("\(error)")
        }
    }

    private static func listen(
        _ setting: Setting, isIPv4: Bool, port: UInt16, _ expression: String
    ) throws(ProbeError) -> PacketConn {
        let filter = try compile(expression, isIPv4: isIPv4)
        return try listen(setting, port: port, etherType: isIPv4 ? 0x0800 : 0x86DD, filter)
    }

    /// Opens the packet sockets of a link.
    static func listen(
        _ setting: Setting, port: UInt16, etherType: UInt16, _ filter: Filter
    ) throws(ProbeError) -> PacketConn {
        guard setting.interface.isEthernet else {
            throw .usage(
                "\(setting.interface.name) has no Ethernet header, which `--transport \(setting.transport.rawValue)` "
                    + "needs. Use `--transport udp`.")
        }
        var configuration = PacketConn.Configuration(dualConn: true, filter: filter)
        configuration.stampsReceivedPTP = setting.isPTP
        setting.stamps.configure(&configuration)
        do throws(SystemError) {
            return try PacketConn.listen(on: setting.interface, etherType: etherType, configuration: configuration)
        } catch {
            throw refusal(error, setting.transport, port)
        }
    }
}
