/// A group of packet sockets that share what one interface receives: each packet goes to one of them.
///
/// The first socket opens the group, with an ``id`` of its own choice or, with `nil`, one that is free; the others join
/// with what the first got back. All have the same interface and ethertype. A socket leaves when it is closed, and the
/// others go on. The group is of its network namespace, and may be shared by processes.
///
/// Source: PACKET_FANOUT in packet(7), net/packet/af_packet.c.
public struct Fanout: Hashable, Sendable {
    /// How a packet's socket is chosen.
    public enum Algorithm: UInt8, Hashable, Sendable {
        /// By a hash of the flow, the same in both directions: a flow stays with one socket.
        case hash = 0
        /// Each in turn.
        case loadBalance = 1
        /// By the processor that the packet arrived on.
        case cpu = 2
        /// The first as long as a quarter of its buffer is free, then the next.
        case rollover = 3
        /// At random.
        case random = 4
        /// By the NIC's receive queue.
        case queueMapping = 5
        /// By what a classic BPF program returns: ``PacketConn/setFanoutFilter(_:)``.
        case filter = 6
        /// By what an eBPF program returns: ``PacketConn/setFanoutProgram(_:)``.
        case program = 7
    }

    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// A packet whose socket has no room, or little and most of it taken by one flow, goes to the next.
        public static let rollover = Flags(rawValue: 0x1000)
        /// Frames that this host sends are left out. It is the group's own setting: ``SocketOptions/ignoreOutgoing`` of its
        /// members does not count. Linux 6.2; older kernels hand them out all the same.
        public static let ignoreOutgoing = Flags(rawValue: 0x4000)
        /// IP fragments are put together first, so that all of a datagram goes to one socket.
        public static let defragment = Flags(rawValue: 0x8000)
    }

    public var algorithm: Algorithm
    public var flags: Flags
    /// `nil` opens a group with an id that no other has.
    public var id: UInt16?

    public init(_ algorithm: Algorithm, flags: Flags = .ignoreOutgoing, id: UInt16? = nil) {
        self.algorithm = algorithm
        self.flags = flags
        self.id = id
    }
}
