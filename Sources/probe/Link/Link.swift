import Addresses
import FastAFPacket
import Kernel
import Wire

/// How packets travel.
enum Transport: String, CaseIterable, Sendable {
    /// AF_PACKET: whole frames, all stamps.
    case packet
    /// An ordinary UDP socket: no privilege on ports above 1023.
    case udp
}

/// One role's way to the network: its connection, the port that it owns, and how a payload is wrapped on it.
///
/// Sender and reflector have a link each, so neither thread shares a socket, an id or a ledger with the other.
final class Link: Sendable {
    let conn: PacketConn
    let transport: Transport
    let interface: Interface
    /// Our own UDP port on this link.
    let port: UInt16
    let isIPv4: Bool
    /// Whether received packets can be expected to have the card's stamps.
    let cardReceipts: CardReceipts
    private let holder: PortHolder?

    /// Room for a received packet: a whole frame of the interface's MTU, tag included, or the largest datagram.
    var packetBytes: Int { transport == .udp ? 65535 : max(2048, interface.mtu + 18) }

    private init(
        _ conn: PacketConn, _ transport: Transport, _ interface: Interface, port: UInt16, isIPv4: Bool,
        holder: consuming PortHolder?
    ) {
        self.conn = conn
        self.transport = transport
        self.interface = interface
        self.port = port
        self.isIPv4 = isIPv4
        cardReceipts = CardReceipts(
            conn.hardwareStamping, try? TimestampingCapabilities(of: interface), isPTP: false)
        self.holder = holder
    }

    /// What a link needs besides its role.
    struct Setting {
        var transport: Transport
        var interface: Interface
        var stamps: StampChoice
        var hopLimit: UInt8 = 255
    }

    /// The session-sender's link: a port of its own, and only what the peer sends from its reflecting port.
    static func sender(
        _ setting: Setting, source: IPAddress, peer: SocketAddress
    ) throws(ProbeError) -> Link {
        switch setting.transport {
        case .packet:
            let holder = try ProbeError.system {
                () throws(SystemError) in try PortHolder.ephemeral(isIPv4: source.isIPv4, on: setting.interface)
            }
            let port = holder.port
            let expression = "udp and dst port \(port) and src port \(peer.port) and src host \(peer.address)"
            let conn = try listen(setting, isIPv4: source.isIPv4, port: port, expression)
            return Link(
                conn, .packet, setting.interface, port: port, isIPv4: source.isIPv4, holder: holder)
        case .udp:
            let scope = source.isLinkLocal ? UInt32(setting.interface.index) : 0
            for _ in 0..<64 {
                let port = UInt16.random(in: 49152...65535)
                do throws(SystemError) {
                    let conn = try PacketConn.listenUDP(
                        on: SocketAddress(source, port: port, scope: scope), interface: setting.interface,
                        hopLimit: setting.hopLimit)
                    return Link(conn, .udp, setting.interface, port: port, isIPv4: source.isIPv4, holder: nil)
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
    ) throws(ProbeError) -> Link {
        switch setting.transport {
        case .packet:
            let holder = try holdPort(port, isIPv4: isIPv4, setting.interface)
            let conn = try listen(setting, isIPv4: isIPv4, port: port, admission.expression(port: port, isIPv4: isIPv4))
            return Link(conn, .packet, setting.interface, port: port, isIPv4: isIPv4, holder: holder)
        case .udp:
            do throws(SystemError) {
                let conn = try PacketConn.listenUDP(
                    on: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: port), interface: setting.interface)
                return Link(conn, .udp, setting.interface, port: port, isIPv4: isIPv4, holder: nil)
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
            let own = destinations.isEmpty ? nowhere : destinations.map { "dst host \($0)" }.joined(separator: " or ")
            let allowed = sources.map { "src net \($0)" }.joined(separator: " or ")
            return "udp and dst port \(port) and (\(own))"
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

    private static func holdPort(
        _ port: UInt16, isIPv4: Bool, _ interface: Interface
    ) throws(ProbeError) -> PortHolder {
        do throws(SystemError) {
            return try PortHolder(port: port, isIPv4: isIPv4, on: interface)
        } catch {
            throw refusal(error, .packet, port)
        }
    }

    private static func refusal(
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
        guard setting.interface.isEthernet else {
            throw .usage(
                "\(setting.interface.name) has no Ethernet header, which `--transport packet` needs. "
                    + "Use `--transport udp`.")
        }
        var configuration = PacketConn.Configuration(dualConn: true, filter: filter)
        setting.stamps.configure(&configuration)
        do throws(SystemError) {
            return try PacketConn.listen(
                on: setting.interface, etherType: isIPv4 ? 0x0800 : 0x86DD,
                configuration: configuration)
        } catch {
            throw refusal(error, .packet, port)
        }
    }

    /// Bytes in front of the UDP payload on the wire, over an ordinary socket too.
    var headerBytes: Int { 14 + (isIPv4 ? 20 : 40) + 8 }

    /// Reads the headers of a received packet, or what the kernel told of them.
    func arrival(of bytes: RawSpan, _ packet: borrowing ReceivedPacket) throws(FrameError) -> Arrival {
        switch transport {
        case .packet:
            let frame = try UDPFrame(decoding: bytes, verifyChecksum: !packet.isChecksumPending)
            return Arrival(
                payload: frame.payload, source: SocketAddress(frame.source, port: frame.sourcePort),
                destination: frame.destination, sourceMAC: frame.sourceMAC, destinationMAC: frame.destinationMAC,
                vlan: packet.vlanTag.map { VLANTag(controlInformation: $0) } ?? frame.vlan,
                hopLimit: frame.hopLimit, dscp: frame.dscp, ecn: frame.ecn)
        case .udp:
            guard let source = packet.source, let local = packet.localAddress else { throw .badHeader }
            let trafficClass = packet.trafficClass ?? 0
            return Arrival(
                payload: 0..<bytes.byteCount, source: source, destination: local, sourceMAC: nil,
                destinationMAC: nil, vlan: nil, hopLimit: packet.hopLimit ?? 0, dscp: trafficClass >> 2,
                ecn: trafficClass & 3)
        }
    }
}
