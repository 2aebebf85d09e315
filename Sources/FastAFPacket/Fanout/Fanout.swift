/// A group of packet sockets that share the traffic of one interface: each packet goes to one of them.
///
/// The first socket opens the group, with a given ``id`` or, with `nil`, a free one; the others join with the value
/// that the first call returned. All have the same interface and ethertype. A socket leaves when it is closed, and the
/// rest continue without it. A group belongs to its network namespace and can span processes.
///
/// Source: PACKET_FANOUT in packet(7), net/packet/af_packet.c.
public struct Fanout: Hashable, Sendable {
    /// The rule that chooses a packet's socket.
    public enum Algorithm: UInt8, Hashable, Sendable {
        /// By a hash of the flow, the same in both directions: a flow stays with one socket.
        case hash = 0
        /// In turn (round robin).
        case loadBalance = 1
        /// By the CPU that the packet arrived on.
        case cpu = 2
        /// The first socket while a quarter of its buffer is free, then the next.
        case rollover = 3
        /// At random.
        case random = 4
        /// By the NIC's receive queue.
        case queueMapping = 5
        /// By the result of a classic BPF program: ``PacketConn/setFanoutFilter(_:)``.
        case filter = 6
        /// By the result of an eBPF program: ``PacketConn/setFanoutProgram(_:)``.
        case program = 7
    }

    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// If a socket has no room, or little room and one flow takes most of it, the packet goes to the next socket.
        public static let rollover = Flags(rawValue: 0x1000)
        /// Excludes frames that this host sends. The setting belongs to the group and overrides
        /// ``SocketOptions/ignoreOutgoing`` of its members. Linux 6.2; older kernels deliver such frames regardless.
        public static let ignoreOutgoing = Flags(rawValue: 0x4000)
        /// Reassembles IP fragments first, so that a whole datagram goes to one socket.
        public static let defragment = Flags(rawValue: 0x8000)
    }

    public var algorithm: Algorithm
    public var flags: Flags
    /// The group's id; `nil` opens a group with a free id.
    public var id: UInt16?

    public init(_ algorithm: Algorithm, flags: Flags = .ignoreOutgoing, id: UInt16? = nil) {
        self.algorithm = algorithm
        self.flags = flags
        self.id = id
    }
}
