import FastAFPacket
import LinuxKernel
import NetworkAddresses
import STAMPSession

/// A socket pair of an endpoint for one role and one address family, with the ports that it sends from.
///
/// Senders and reflectors have sockets of their own, so that a flood of probes takes no buffer from replies.
final class EndpointSocket: Sendable {
    let conn: PacketConn
    let setting: EndpointSetting
    /// The local ports: the reflector's, or the senders'.
    let ports: ClosedRange<UInt16>
    /// True for IPv4, false for IPv6. It has no meaning without IP.
    let isIPv4: Bool
    let isReflector: Bool
    /// The hardware timestamps to expect on received packets.
    let receiveStamping: ReceiveStamping
    /// The probes that a reflector answers when it begins.
    let admission: Admission?
    private let reservations: PortReservations

    init(
        _ conn: PacketConn, _ setting: EndpointSetting, ports: ClosedRange<UInt16>, isIPv4: Bool, isReflector: Bool,
        admission: Admission? = nil, _ reservations: PortReservations
    ) {
        self.admission = admission
        self.conn = conn
        self.setting = setting
        self.ports = ports
        self.isIPv4 = isIPv4
        self.isReflector = isReflector
        self.reservations = reservations
        receiveStamping = ReceiveStamping(
            conn.hardwareStamping, try? TimestampingCapabilities(of: setting.interface), isPTP: setting.isPTP)
    }

    var role: SessionRole { isReflector ? .reflector : .sender }
    var transport: Transport { setting.transport }
    var headerBytes: Int { setting.headerBytes(isIPv4: isIPv4) }

    /// Closes the sockets, which restores what they changed.
    func close() { conn.close() }

    /// Replaces the filter of a packet socket by that of a changed admission, atomically.
    func admit(_ admission: Admission) throws(ProbeError) {
        guard transport == .packet else { return }
        let filter = try Self.compile(
            admission.expression(port: ports.lowerBound, isIPv4: isIPv4), isIPv4: isIPv4)
        let conn = conn
        try ProbeError.system { () throws(SystemError) in try conn.setFilter(filter) }
    }
}

/// Port reservations, which last as long as the object.
final class PortReservations: Sendable {
    private let reservations: [Held]

    private final class Held: Sendable {
        let reservation: PortReservation
        init(_ reservation: consuming PortReservation) { self.reservation = reservation }
    }

    init() { reservations = [] }

    init(_ reservation: consuming PortReservation) { reservations = [Held(reservation)] }

    /// Reserves consecutive ports.
    init(_ ports: ClosedRange<UInt16>, isIPv4: Bool, on interface: Interface) throws(SystemError) {
        var held: [Held] = []
        for port in ports { held.append(Held(try PortReservation(port: port, isIPv4: isIPv4, on: interface))) }
        reservations = held
    }
}

/// The probes that a reflector answers.
struct Admission: Hashable, Sendable {
    /// The networks to answer; empty for all.
    var sources: [IPNetwork]
    /// The local addresses. A packet socket also receives packets that this host only forwards.
    var destinations: [IPAddress]

    /// The number of networks or addresses up to which the filter checks them. A larger one would take a packet longer
    /// than a table does.
    private static let filterLimit = 64

    /// The local addresses that the receiver of a packet has to check; nil if the filter does.
    var addressesToCheck: Set<IPAddress>? {
        destinations.count > Self.filterLimit ? Set(destinations) : nil
    }

    /// The libpcap expression for the probes to one port.
    func expression(port: UInt16, isIPv4: Bool) -> String {
        // Without a local address there is nothing to answer, until one is added.
        let nowhere = isIPv4 ? "dst host 0.0.0.0" : "dst host ::"
        let local = destinations.isEmpty ? [nowhere] : destinations.map { "dst host \($0)" }
        return
            (["udp and dst port \(port)"]
            + [local, sources.map { "src net \($0)" }].compactMap { choices in
                guard !choices.isEmpty, choices.count <= Self.filterLimit else { return nil }
                return "(" + choices.joined(separator: " or ") + ")"
            }).joined(separator: " and ")
    }
}
