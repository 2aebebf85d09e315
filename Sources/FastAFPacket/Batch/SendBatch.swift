import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// The destination and the options of one packet.
public struct SendOptions: Sendable {
    /// The destination on a packet socket of type datagram; a raw frame contains its destination.
    public var link: LinkAddress?
    /// The destination on a UDP connection.
    public var destination: SocketAddress?
    /// The local address to send from on a UDP connection.
    public var source: IPAddress?
    /// Traffic class (DSCP and ECN) on a UDP connection.
    public var trafficClass: UInt8?
    /// The transmit timestamps to request instead of the connection's; empty requests none. Kinds that the interface
    /// does not offer do not arrive.
    public var stamps: TransmitStampKinds?
    /// The time to send the packet, in nanoseconds of the clock that ``PacketConn/Configuration/launchTimes`` names.
    public var launchTime: Int64?

    @inlinable
    public init(
        link: LinkAddress? = nil, destination: SocketAddress? = nil, source: IPAddress? = nil,
        trafficClass: UInt8? = nil, stamps: TransmitStampKinds? = nil, launchTime: Int64? = nil
    ) {
        self.link = link
        self.destination = destination
        self.source = source
        self.trafficClass = trafficClass
        self.stamps = stamps
        self.launchTime = launchTime
    }

    /// True if the packet needs no address and no control message but the id's.
    @inlinable
    var isPlain: Bool {
        link == nil && destination == nil && source == nil && trafficClass == nil && stamps == nil && launchTime == nil
    }
}

/// Storage for many packets to send, allocated once and reused. Not for use by two threads at a time.
public struct SendBatch: ~Copyable {
    @usableFromInline let storage: MessageStorage
    private let slots: UnsafeMutablePointer<Slot>
    /// The number of packets in the batch.
    public private(set) var count = 0
    /// True if a packet has a launch time.
    private(set) var hasLaunchTimes = false

    private struct Slot {
        var id: UInt32 = 0
        var stamps: TransmitStampKinds?
        /// Bytes of control messages before the id's.
        var controlBytes = 0
        /// True if the header has no address, and the id's control message comes first: only the id changes from one
        /// plain packet to the next.
        var isPlain = false
    }

    /// - Parameters:
    ///   - capacity: the maximum number of packets.
    ///   - packetBytes: the room for each packet.
    public init(capacity: Int, packetBytes: Int) {
        storage = MessageStorage(capacity: capacity, packetBytes: packetBytes)
        slots = .allocate(capacity: storage.capacity)
        slots.initialize(repeating: Slot(), count: storage.capacity)
    }

    deinit { slots.deallocate() }

    public var capacity: Int { storage.capacity }
    public var isFull: Bool { count == capacity }

    /// The id of the packet at `index`.
    public func id(at index: Int) -> UInt32 { slots[index].id }

    /// Returns whether the packet at `index` requests timestamps, on a socket that requests `kinds`. The kernel counts
    /// only such packets.
    func asksForStamps(at index: Int, otherwise kinds: TransmitStampKinds) -> Bool {
        !(slots[index].stamps ?? kinds).isEmpty
    }

    func packet(at index: Int) -> UnsafeRawBufferPointer { storage.packetToSend(index) }

    /// Adds a packet.
    ///
    /// - Parameters:
    ///   - id: the id that its transmit timestamps carry.
    ///   - options: its destination and options.
    ///   - write: writes the packet to the start of the slot and returns its length; 0 adds nothing.
    /// - Returns: true if the packet was added; false if the batch is full or `write` returned 0.
    @inlinable
    @discardableResult
    public mutating func append(
        id: UInt32, options: SendOptions = SendOptions(), _ write: (inout MutableRawSpan) -> Int
    ) -> Bool {
        guard count < capacity else { return false }
        var span = UnsafeMutableRawBufferPointer(start: storage.packet(count), count: storage.packetBytes).mutableBytes
        let length = write(&span)
        guard length > 0, length <= storage.packetBytes else { return false }
        if options.isPlain { addPlain(id, length: length) } else { add(id, length: length, options) }
        return true
    }

    /// A packet that was written to its slot.
    public struct Packet: Sendable {
        /// The id that its transmit timestamps carry.
        public var id: UInt32
        /// Its length in bytes.
        public var length: Int
        public var options: SendOptions

        public init(id: UInt32, length: Int, options: SendOptions = SendOptions()) {
            self.id = id
            self.length = length
            self.options = options
        }
    }

    /// Adds a packet whose id and options are known once it is written.
    ///
    /// - Parameter write: writes the packet to the start of the slot; nil adds nothing.
    /// - Returns: true if the packet was added; false if the batch is full or there is no packet.
    @inlinable
    @discardableResult
    public mutating func append(_ write: (inout MutableRawSpan) -> Packet?) -> Bool {
        guard count < capacity else { return false }
        var span = UnsafeMutableRawBufferPointer(start: storage.packet(count), count: storage.packetBytes).mutableBytes
        guard let packet = write(&span), packet.length > 0, packet.length <= storage.packetBytes else { return false }
        if packet.options.isPlain {
            addPlain(packet.id, length: packet.length)
        } else {
            add(packet.id, length: packet.length, packet.options)
        }
        return true
    }

    /// Replaces all packets with one that lies in the caller's memory until it is sent.
    mutating func replaceAll(with packet: UnsafeRawBufferPointer, id: UInt32, options: SendOptions) {
        removeAll()
        storage.setPacket(0, UnsafeMutableRawBufferPointer(mutating: packet))
        add(id, length: packet.count, options)
    }

    @usableFromInline
    mutating func addPlain(_ id: UInt32, length: Int) {
        let slot = slots + count
        guard slot.pointee.isPlain else { return add(id, length: length, SendOptions()) }
        storage.setPacketLength(count, length)
        slot.pointee.id = id
        storage.control(count).storeBytes(of: id, toByteOffset: cl_cmsg_len(0), as: UInt32.self)
        count &+= 1
    }

    @usableFromInline
    mutating func add(_ id: UInt32, length: Int, _ options: SendOptions) {
        storage.setPacketLength(count, length)
        slots[count] = Slot(id: id, stamps: options.stamps, isPlain: options.isPlain)
        setHeader(id, options)
        count &+= 1
    }

    /// Removes all packets.
    public mutating func removeAll() {
        count = 0
        hasLaunchTimes = false
    }

    /// Writes the address and the control messages that the options require, and last the one that gives the packet's
    /// timestamps their id (SCM_TS_OPT_ID).
    private mutating func setHeader(_ id: UInt32, _ options: SendOptions) {
        let name = storage.name(count)
        var nameLength: socklen_t = 0
        if let link = options.link {
            name.storeBytes(of: link.raw, as: sockaddr_ll.self)
            nameLength = socklen_t(MemoryLayout<sockaddr_ll>.size)
        } else if let destination = options.destination {
            nameLength = destination.store(to: name)
        }
        var control = ControlMessageWriter(
            UnsafeMutableRawBufferPointer(start: storage.control(count), count: MessageStorage.controlBytes))
        let isIPv4 = options.destination?.address.isIPv4 ?? true
        if let trafficClass = options.trafficClass {
            control.append(
                level: Int32(isIPv4 ? IPPROTO_IP : IPPROTO_IPV6), type: isIPv4 ? IP_TOS : IPV6_TCLASS,
                Int32(trafficClass))
        }
        switch options.source {
        case .v4(let value)?:
            var info = in_pktinfo()
            info.ipi_spec_dst.s_addr = value.bigEndian
            control.append(level: Int32(IPPROTO_IP), type: IP_PKTINFO, info)
        case .v6(let value)?:
            var info = cl_in6_pktinfo()
            withUnsafeMutableBytes(of: &info.address) { $0.storeBytes(of: value.bigEndian, as: UInt128.self) }
            control.append(level: Int32(IPPROTO_IPV6), type: IPV6_PKTINFO, info)
        case nil:
            break
        }
        if let stamps = options.stamps {
            control.append(level: SOL_SOCKET, type: CL_SO_TIMESTAMPING_NEW, stamps.generationFlags)
        }
        if let launchTime = options.launchTime {
            control.append(level: SOL_SOCKET, type: SO_TXTIME, launchTime)
            hasLaunchTimes = true
        }
        storage.headers[count].msg_hdr.msg_name = nameLength > 0 ? name : nil
        storage.headers[count].msg_hdr.msg_namelen = nameLength
        storage.headers[count].msg_hdr.msg_control = storage.control(count)
        slots[count].controlBytes = control.length
        control.append(level: SOL_SOCKET, type: CL_SCM_TS_OPT_ID, id)
    }

    /// Includes the id's control message in the packets that request timestamps.
    ///
    /// - Parameter kinds: the kinds that the socket requests for packets without ``SendOptions/stamps``.
    func includeIdentifiers(from start: Int, otherwise kinds: TransmitStampKinds) {
        let space = cl_cmsg_space(MemoryLayout<UInt32>.size)
        for index in start..<count {
            storage.headers[index].msg_hdr.msg_controllen =
                slots[index].controlBytes &+ (asksForStamps(at: index, otherwise: kinds) ? space : 0)
        }
    }

    /// Excludes the ids' control messages, for a connection that counts.
    func excludeIdentifiers(from start: Int) {
        for index in start..<count { storage.headers[index].msg_hdr.msg_controllen = slots[index].controlBytes }
    }
}
