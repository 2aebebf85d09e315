import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The transport of test packets: `--transport`.
enum Transport: String, CaseIterable, Sendable {
    /// AF_PACKET: whole frames, all timestamps.
    case packet
    /// An ordinary UDP socket, which needs no privilege for ports above 1023.
    case udp
    /// AF_PACKET without IP: plain Ethernet frames, all timestamps.
    case l2
}

/// An interface and transport with its sockets and its port, used by the session-sender or the session-reflector.
///
/// The two roles have an endpoint each, so their threads share no socket, timestamp ID or ledger.
final class Endpoint: Sendable {
    let conn: PacketConn
    let setting: Setting
    /// The local port of this endpoint.
    let port: UInt16
    /// True for IPv4, false for IPv6. It has no meaning without IP.
    let isIPv4: Bool
    /// The hardware timestamps to expect on received packets.
    let receiveStamping: ReceiveStamping
    private let reservation: PortReservation?

    var transport: Transport { setting.transport }
    var interface: Interface { setting.interface }

    /// The size of a receive buffer in bytes: a whole frame of the interface's MTU, tag included, or the largest
    /// datagram.
    var packetBytes: Int { transport == .udp ? 65535 : max(2048, interface.mtu + 18) }

    init(
        _ conn: PacketConn, _ setting: Setting, port: UInt16, isIPv4: Bool, reservation: consuming PortReservation?
    ) {
        self.conn = conn
        self.setting = setting
        self.port = port
        self.isIPv4 = isIPv4
        receiveStamping = ReceiveStamping(
            conn.hardwareStamping, try? TimestampingCapabilities(of: setting.interface), isPTP: setting.isPTP)
        self.reservation = reservation
    }

    /// The settings of an endpoint that do not depend on its role.
    struct Setting: Sendable {
        var transport: Transport
        var interface: Interface
        var stamps: StampChoice
        var hopLimit: UInt8 = 255
        var ethernet = Ethernet()

        /// True if the frames are PTP event messages.
        var isPTP: Bool { transport == .l2 && ethernet.shape == .ptp }
    }

    /// The session-sender's endpoint, on an ephemeral port. It receives only what the peer sends from the reflector's
    /// port.
    static func sender(
        _ setting: Setting, source: IPAddress, peer: SocketAddress
    ) throws(ProbeError) -> Endpoint {
        switch setting.transport {
        case .packet:
            let reservation = try reserveFreePort(isIPv4: source.isIPv4, setting.interface)
            let port = reservation.port
            let expression = "udp and dst port \(port) and src port \(peer.port) and src host \(peer.address)"
            let conn = try listen(setting, isIPv4: source.isIPv4, port: port, expression)
            return Endpoint(conn, setting, port: port, isIPv4: source.isIPv4, reservation: reservation)
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
                    return Endpoint(conn, setting, port: port, isIPv4: source.isIPv4, reservation: nil)
                } catch  where error.code == ErrorCode.addressInUse {
                    continue
                } catch {
                    throw .system(error)
                }
            }
            throw .system(SystemError("find a free UDP port", code: ErrorCode.addressInUse))
        }
    }

    /// The session-reflector's endpoint, on the well-known port.
    ///
    /// - Parameter admission: the networks and local addresses to answer, as a filter on packet sockets. On an ordinary
    ///   socket the reflector checks each packet after it is received.
    static func reflector(
        _ setting: Setting, port: UInt16, isIPv4: Bool, _ admission: Admission
    ) throws(ProbeError) -> Endpoint {
        switch setting.transport {
        case .packet:
            let reservation = try reservePort(port, isIPv4: isIPv4, setting.interface)
            let conn = try listen(setting, isIPv4: isIPv4, port: port, admission.expression(port: port, isIPv4: isIPv4))
            return Endpoint(conn, setting, port: port, isIPv4: isIPv4, reservation: reservation)
        case .l2:
            return try ethernetReflector(setting, port: port)
        case .udp:
            do throws(SystemError) {
                let conn = try PacketConn.listenUDP(
                    on: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: port), interface: setting.interface)
                return Endpoint(conn, setting, port: port, isIPv4: isIPv4, reservation: nil)
            } catch {
                throw refusal(error, .udp, port)
            }
        }
    }

    /// The probes that a reflector answers.
    struct Admission: Hashable, Sendable {
        /// The networks to answer; empty for all.
        var sources: [IPNetwork]
        /// The local addresses. A packet socket also receives packets that this host only forwards.
        var destinations: [IPAddress]

        func expression(port: UInt16, isIPv4: Bool) -> String {
            // Without a local address there is nothing to answer, until one is added.
            let nowhere = isIPv4 ? "dst host 0.0.0.0" : "dst host ::"
            let local = destinations.isEmpty ? nowhere : destinations.map { "dst host \($0)" }.joined(separator: " or ")
            let allowed = sources.map { "src net \($0)" }.joined(separator: " or ")
            return "udp and dst port \(port) and (\(local))"
                + (allowed.isEmpty ? "" : " and (\(allowed))")
        }
    }

    /// Replaces the filter of a packet socket by that of a changed admission, atomically.
    func admit(_ admission: Admission) throws(ProbeError) {
        guard transport == .packet else { return }
        let filter = try Self.compile(admission.expression(port: port, isIPv4: isIPv4), isIPv4: isIPv4)
        let conn = conn
        try ProbeError.system { () throws(SystemError) in try conn.setFilter(filter) }
    }

    /// Reserves an ephemeral port for a session-sender.
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
                "UDP port \(port) is in use. Find its owner with `ss -lunp sport = :\(port)` and stop it, or use another port "
                    + "on both hosts, such as `--port \(port == 8620 ? 8621 : 8620)`.")
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

    /// Opens the packet sockets of an endpoint.
    static func listen(
        _ setting: Setting, port: UInt16, etherType: UInt16, _ filter: Filter
    ) throws(ProbeError) -> PacketConn {
        guard setting.interface.isEthernet else {
            throw .usage(
                "\(setting.interface.name) is not an Ethernet interface, which `--transport \(setting.transport.rawValue)` "
                    + "requires. Use `--transport udp`.")
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
