import FastAFPacket
import LinuxKernel
import NetworkAddresses

extension EndpointSocket {
    /// The peers of an endpoint's sessions in one address family.
    struct Peers: Sendable {
        /// This host's address.
        var source: IPAddress
        /// The only peer; nil if there are several.
        var only: IPAddress?
        /// The number of source ports: sessions to one peer have a port each.
        var portCount: Int
        /// The first source port; nil for any.
        var firstPort: UInt16?
        /// The port of the reflectors.
        var port: UInt16
    }

    /// Opens the sockets of session-senders. They receive only what comes from the reflectors' port.
    static func senders(_ setting: EndpointSetting, _ peers: Peers) throws(ProbeError) -> [EndpointSocket] {
        switch setting.transport {
        case .udp:
            var sockets: [EndpointSocket] = []
            for index in 0..<peers.portCount {
                let port = peers.firstPort.map { $0 &+ UInt16(truncatingIfNeeded: index) }
                sockets.append(try datagramSender(setting, peers.source, port))
            }
            return sockets
        case .packet, .l2:
            let isIPv4 = peers.source.isIPv4 || !setting.transport.hasIP
            let (reservations, ports) = try reserve(peers, isIPv4: isIPv4, setting)
            let conn: PacketConn
            if setting.transport == .l2 {
                conn = try listen(
                    setting, port: ports.lowerBound, etherType: EthernetSetting.allEtherTypes,
                    setting.ethernet.filter(ports: ports, from: peers.port))
            } else {
                var expression =
                    "udp and src port \(peers.port) and dst portrange \(ports.lowerBound)-\(ports.upperBound)"
                if let only = peers.only { expression += " and src host \(only)" }
                conn = try listen(setting, isIPv4: isIPv4, port: ports.lowerBound, expression)
            }
            return [
                EndpointSocket(conn, setting, ports: ports, isIPv4: isIPv4, isReflector: false, reservations)
            ]
        }
    }

    /// Reserves consecutive source ports.
    private static func reserve(
        _ peers: Peers, isIPv4: Bool, _ setting: EndpointSetting
    ) throws(ProbeError) -> (PortReservations, ClosedRange<UInt16>) {
        if let first = peers.firstPort {
            let ports = first...(first &+ UInt16(truncatingIfNeeded: peers.portCount - 1))
            do throws(SystemError) {
                return (try PortReservations(ports, isIPv4: isIPv4, on: setting.interface), ports)
            } catch {
                throw sourcePortRefusal(error, ports, setting.transport)
            }
        }
        for _ in 0..<64 {
            let first = UInt16.random(in: 49152...UInt16(65536 - peers.portCount))
            let ports = first...(first + UInt16(peers.portCount - 1))
            do throws(SystemError) {
                return (try PortReservations(ports, isIPv4: isIPv4, on: setting.interface), ports)
            } catch  where error.code == ErrorCode.addressInUse {
                continue
            } catch {
                throw .system(error)
            }
        }
        throw .system(SystemError("find enough free UDP ports in a row", code: ErrorCode.addressInUse))
    }

    private static func datagramSender(
        _ setting: EndpointSetting, _ source: IPAddress, _ fixed: UInt16?
    ) throws(ProbeError) -> EndpointSocket {
        let scope = source.isLinkLocal ? UInt32(setting.interface.index) : 0
        for _ in 0..<(fixed == nil ? 64 : 1) {
            let port = fixed ?? UInt16.random(in: 49152...65535)
            do throws(SystemError) {
                let conn = try PacketConn.listenUDP(
                    on: SocketAddress(source, port: port, scope: scope), interface: setting.interface,
                    hopLimit: setting.hopLimit)
                return EndpointSocket(
                    conn, setting, ports: port...port, isIPv4: source.isIPv4, isReflector: false, PortReservations())
            } catch  where error.code == ErrorCode.addressInUse && fixed == nil {
                continue
            } catch {
                guard let fixed else { throw .system(error) }
                throw sourcePortRefusal(error, fixed...fixed, setting.transport)
            }
        }
        throw .system(SystemError("find a free UDP port", code: ErrorCode.addressInUse))
    }

    private static func sourcePortRefusal(
        _ error: SystemError, _ ports: ClosedRange<UInt16>, _ transport: Transport
    ) -> ProbeError {
        switch error.code {
        case ErrorCode.addressInUse:
            let which =
                ports.count == 1
                ? "port \(ports.lowerBound) is" : "ports \(ports.lowerBound) to \(ports.upperBound) are"
            return .portInUse(
                "UDP \(which) in use. Find the owner with `ss -lunp`, or choose another `--source-port`.")
        case ErrorCode.accessDenied, ErrorCode.notPermitted:
            return Privileges.explain(transport, port: ports.lowerBound)
        default: return .system(error)
        }
    }

    /// Opens the sockets of a session-reflector.
    ///
    /// - Parameter admission: the networks and local addresses to answer, as a filter on packet sockets. On an ordinary
    ///   socket the reflector checks each packet after it is received.
    static func reflector(
        _ setting: EndpointSetting, port: UInt16, isIPv4: Bool, _ admission: Admission
    ) throws(ProbeError) -> EndpointSocket {
        let conn: PacketConn
        var reservations = PortReservations()
        switch setting.transport {
        case .packet:
            reservations = try reservePort(port, isIPv4: isIPv4, setting.interface)
            conn = try listen(setting, isIPv4: isIPv4, port: port, admission.expression(port: port, isIPv4: isIPv4))
        case .l2:
            // This reservation receives nothing, but a second instance finds the port in use.
            reservations = try reservePort(port, isIPv4: isIPv4, setting.interface)
            conn = try listen(
                setting, port: port, etherType: EthernetSetting.allEtherTypes,
                setting.ethernet.filter(ports: port...port))
        case .udp:
            do throws(SystemError) {
                conn = try PacketConn.listenUDP(
                    on: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: port), interface: setting.interface)
            } catch {
                throw refusal(error, .udp, port)
            }
        }
        return EndpointSocket(
            conn, setting, ports: port...port, isIPv4: isIPv4, isReflector: true,
            admission: setting.transport == .packet ? admission : nil, reservations)
    }

    private static func reservePort(
        _ port: UInt16, isIPv4: Bool, _ interface: Interface
    ) throws(ProbeError) -> PortReservations {
        do throws(SystemError) {
            return PortReservations(try PortReservation(port: port, isIPv4: isIPv4, on: interface))
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

    static func compile(_ expression: String, isIPv4: Bool) throws(ProbeError) -> Filter {
        do throws(FilterError) {
            return try Filter(expression: (isIPv4 ? "ip and " : "ip6 and ") + expression)
        } catch {
            throw .internalFault("\(error)")
        }
    }

    private static func listen(
        _ setting: EndpointSetting, isIPv4: Bool, port: UInt16, _ expression: String
    ) throws(ProbeError) -> PacketConn {
        let filter = try compile(expression, isIPv4: isIPv4)
        return try listen(setting, port: port, etherType: isIPv4 ? 0x0800 : 0x86DD, filter)
    }

    private static func listen(
        _ setting: EndpointSetting, port: UInt16, etherType: UInt16, _ filter: Filter
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
