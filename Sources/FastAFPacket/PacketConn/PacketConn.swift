import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses
import Synchronization

/// A connection for packets with transmit and receive timestamps: AF_PACKET on one interface, or a UDP socket.
///
/// It has a receive half and a send half, which are two sockets with ``Configuration/dualConn``. Any thread may call
/// any method at any time, with its own batches and buffers. The design favours one thread each to receive, to send and
/// to read transmit timestamps, or one thread that does everything.
///
/// Coming from Go's fast_afpacket:
///
/// | Go | here |
/// |---|---|
/// | `Listen(iface, type, proto, config)` | ``listen(on:type:etherType:configuration:)`` |
/// | `Config.DualConn`, `Config.Filter` | ``Configuration/dualConn``, ``Configuration/filter`` |
/// | `Conn.ReadFrom` | ``readFrom(into:)`` |
/// | `Conn.WriteTo` | ``writeTo(_:address:id:)`` |
/// | `Conn.RecvRxTimestamps` | ``receive(into:)``, and ``receive(_:)`` for many |
/// | `Conn.RecvTxTimestamps` | ``receiveTransmitStamp(into:)``, and ``receiveTransmitStamps(_:)`` for many |
/// | `Conn.LocalAddr` | ``localAddress`` |
/// | `Conn.SetReadDeadline`, `SetWriteDeadline`, `SetDeadline` | ``setReadDeadline(monotonic:)``, ``setWriteDeadline(monotonic:)``, ``setDeadline(monotonic:)`` |
/// | `Conn.SetBPF` | ``setFilter(_:)`` |
/// | `Conn.Stats` | ``statistics()``, which keeps the totals |
/// | `Conn.Close` | ``close()`` |
/// | `Addr` | ``LinkAddress`` |
/// | `SocketTimestamps`, `ParseSocketTimestamps` | ``SocketTimestamps``; parsing is internal |
/// | `Stats` | ``Statistics`` |
/// | `SocketOptTimestamping`, `MsgErrQueue` | not needed: SO_TIMESTAMPING_NEW and MSG_ERRQUEUE are set internally |
///
/// Source: packet(7), Documentation/networking/timestamping.rst.
public final class PacketConn: Sendable {
    let receiver: Descriptor
    /// The send half of a dual connection; an invalid descriptor otherwise, and the receiver sends too.
    let separateSender: Descriptor
    /// Raised once, on close, and never cleared.
    let closing: EventSignal
    /// Raised to make waiting threads check again: after a deadline changed, or when a thread leaves its wait. Only
    /// edges matter.
    let wakeUp: EventSignal
    /// One queue for each kind of blocking wait.
    let readEvents: WaitQueue
    let writeEvents: WaitQueue
    let stampEvents: WaitQueue
    let singleMessages = SingleMessage.Pool()

    let readDeadline = Atomic<Int64>(.max)
    let writeDeadline = Atomic<Int64>(.max)
    private let isClosed = Atomic<Bool>(false)
    /// True if the interface went down and nothing has been received since. The kernel does not report the deletion of
    /// an interface that is down, so waits check for it every ``downPollIntervalNanoseconds``.
    let isDown = Atomic<Bool>(false)
    static let downPollIntervalNanoseconds: Int64 = 200_000_000
    let totals = Mutex(Statistics())
    /// Datagrams received on a UDP connection, which the kernel does not count.
    let receivedDatagrams = Atomic<UInt64>(0)
    let identifierMap: IdentifierMap?
    /// True if the error queue can hold whole packets: those of timestamps, or of launch-time reports.
    let queueHoldsPackets: Bool
    let stampsCarryPacket: Bool
    /// The type of a packet socket.
    let socketType: SocketType
    let allowsLaunchTimes: Bool
    /// The bytes granted to the buffer that holds unread timestamps.
    let stampBufferBytes: Int

    /// The interface of a packet socket; `nil` on a UDP connection.
    public let interface: Interface?
    /// The transmit timestamps that every send requests by default: those configured that the interface offers.
    public let transmitStamps: TransmitStampKinds
    /// The state of the NIC's timestamping as this connection found or set it.
    public var hardwareStamping: HardwareStamping { lease.stamping }
    private let lease: StampingLease
    /// The bytes granted to the receive half's buffer.
    public let receiveBufferBytes: Int32
    /// The resources of which the connection got less than requested.
    public let warnings: [ConnectionWarning]
    let options: SocketOptions
    private let local: Local

    private enum Local: Sendable {
        case link(LinkAddress)
        case internet(SocketAddress)
    }

    /// The results of either way to open a connection.
    struct Parts: ~Copyable {
        var type = SocketType.raw
        var receiver: Descriptor
        /// A negative descriptor if the receiver sends too.
        var sender: Descriptor
        var interface: Interface?
        var link: LinkAddress?
        var internet: SocketAddress?
        var transmitStamps: TransmitStampKinds
        var lease: StampingLease
        var identifierMap: IdentifierMap?
        var receiveBufferBytes: Int32
        var stampBufferBytes: Int32
        var configuration: Configuration
    }

    /// The signals and queues that threads wait on.
    struct Waits: ~Copyable {
        var closing: EventSignal
        var wakeUp: EventSignal
        var read: WaitQueue
        var write: WaitQueue
        var stamps: WaitQueue

        /// - Parameter sender: a negative descriptor if the receiver sends too.
        init(receiver: borrowing Descriptor, sender: borrowing Descriptor) throws(SystemError) {
            let closing = try EventSignal()
            let wakeUp = try EventSignal()
            let sender = sender.rawValue >= 0 ? sender.rawValue : receiver.rawValue
            let read = try WaitQueue(receiver.rawValue, UInt32(CL_EPOLLIN), closing: closing, wakeUp: wakeUp)
            let write = try WaitQueue(sender, UInt32(CL_EPOLLOUT), closing: closing, wakeUp: wakeUp)
            let stamps = try WaitQueue(sender, UInt32(CL_EPOLLERR), closing: closing, wakeUp: wakeUp)
            self.closing = closing
            self.wakeUp = wakeUp
            self.read = read
            self.write = write
            self.stamps = stamps
        }
    }

    init(_ parts: consuming Parts, _ waits: consuming Waits) {
        closing = waits.closing
        wakeUp = waits.wakeUp
        readEvents = waits.read
        writeEvents = waits.write
        stampEvents = waits.stamps
        local = parts.link.map { .link($0) } ?? .internet(parts.internet ?? SocketAddress(.v4(0), port: 0))
        interface = parts.interface
        transmitStamps = parts.transmitStamps
        lease = parts.lease
        identifierMap = parts.identifierMap
        receiveBufferBytes = parts.receiveBufferBytes
        allowsLaunchTimes = parts.configuration.launchTimes != nil
        stampsCarryPacket =
            parts.configuration.stampsCarryPacket || parts.configuration.launchTimes?.reportsErrors == true
        queueHoldsPackets = stampsCarryPacket || parts.sender.rawValue < 0
        socketType = parts.type
        options = parts.configuration.options
        warnings = [
            ConnectionWarning.receiveBuffer(
                asked: parts.configuration.receiveBufferBytes, bufferBytes: parts.receiveBufferBytes),
            parts.lease.obstacle.map { .stampingNotShared($0) },
        ].compactMap { $0 }
        stampBufferBytes = Int(parts.stampBufferBytes)
        receiver = parts.receiver
        separateSender = parts.sender
    }

    /// The receive-buffer bytes of one unread timestamp (832 seen on Linux 6.1 to 6.18), excluding its packet.
    static let stampBytes = 832

    /// The socket that sends.
    var senderFD: Int32 { isDual ? separateSender.rawValue : receiver.rawValue }
    var isDual: Bool { separateSender.rawValue >= 0 }

    /// The interface's link-layer address; `nil` on a UDP connection.
    public var localAddress: LinkAddress? {
        if case .link(let address) = local { address } else { nil }
    }

    /// The address and port that a UDP connection is bound to; `nil` on a packet socket.
    public var localSocketAddress: SocketAddress? {
        if case .internet(let address) = local { address } else { nil }
    }

    /// Closes both sockets and restores what the connection changed on the NIC and the interface; the NIC's timestamping
    /// if no other connection uses it. Threads waiting in a call get EBADF. Closing again does nothing.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if let interface {
            lease.release(to: HardwareStamping.Device(interface.index, socket: receiver))
            // Restored here, because the socket lives on while a thread is still in a call with it.
            options.restore(receiver, on: interface)
        }
        closing.raise()
        // The descriptors stay reserved until the last reference is released, so no other thread can meet them reused;
        // the sockets that they refer to are released now.
        _ = cl_replace(closing.descriptor.rawValue, receiver.rawValue)
        if isDual { _ = cl_replace(closing.descriptor.rawValue, separateSender.rawValue) }
    }

    deinit { close() }

    var isOpen: Bool { !isClosed.load(ordering: .acquiring) }

    /// EBADF if the connection is closed, else the error `code` of its sockets.
    func failure(_ operation: StaticString, _ code: Int32) -> SystemError {
        isOpen ? SystemError(operation, code: code) : Self.closedError(operation)
    }

    static func closedError(_ operation: StaticString) -> SystemError {
        SystemError(operation, code: EBADF, remedy: "The connection is closed.")
    }
}
