import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses
import Synchronization

/// A connection for packets with transmit and receive timestamps: AF_PACKET on one interface, or an ordinary UDP socket.
///
/// It has two halves, to receive and to send, which are two sockets with ``Configuration/dualConn``. Any thread may call
/// anything at any time, each with batches and buffers of its own; what is made for is one thread that receives, one that
/// sends and one that reads transmit timestamps, or one that does it all.
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
/// | `SocketTimestamps`, `ParseSocketTimestamps` | ``SocketTimestamps``; parsed for you |
/// | `Stats` | ``Statistics`` |
/// | `SocketOptTimestamping`, `MsgErrQueue` | not needed: SO_TIMESTAMPING_NEW and MSG_ERRQUEUE are set for you |
///
/// Source: packet(7), Documentation/networking/timestamping.rst.
public final class PacketConn: Sendable {
    let receiver: Descriptor
    /// The send half of a dual connection; none otherwise, and the receiver does both.
    let separateSender: Descriptor
    /// Raised once, on close, and never taken down.
    let closing: EventSignal
    /// Raised whenever a deadline changes; only its edges matter.
    let nudge: EventSignal
    /// One for each blocking wait.
    let readEvents: WaitQueue
    let writeEvents: WaitQueue
    let stampEvents: WaitQueue
    let singleMessages = SingleMessage.Pool()

    let readDeadline = Atomic<Int64>(.max)
    let writeDeadline = Atomic<Int64>(.max)
    private let isClosed = Atomic<Bool>(false)
    /// Whether the interface went down and nothing was received since. The kernel tells that, but not when a downed
    /// interface is deleted, so waits look for it from time to time.
    let isDown = Atomic<Bool>(false)
    static let downPeriod: Int64 = 200_000_000
    let totals = Mutex(Statistics())
    /// Of a UDP connection, where the kernel keeps no count.
    let receivedDatagrams = Atomic<UInt64>(0)
    let identifierMap: IdentifierMap?
    /// Whether packets lie in the queue of timestamps: with their timestamps, or for their launch times.
    let queueHoldsPackets: Bool
    let stampsCarryPacket: Bool
    /// Of a packet socket.
    let socketType: SocketType
    let allowsLaunchTimes: Bool
    /// The bytes granted to the buffer that unread timestamps lie in.
    let stampBufferBytes: Int

    /// The interface, on a packet socket.
    public let interface: Interface?
    /// The transmit timestamps that every send asks for unless it asks for others: those wanted that the interface offers.
    public let transmitStamps: TransmitStampKinds
    /// How the NIC's timestamping was found or set.
    public let hardwareStamping: HardwareStamping
    /// The bytes granted to the receive half's buffer.
    public let receiveBufferBytes: Int32
    /// Where the connection has less than was asked for.
    public let warnings: [ConnectionWarning]
    let options: SocketOptions
    private let local: Local

    private enum Local: Sendable {
        case link(LinkAddress)
        case internet(SocketAddress)
    }

    /// What the two ways to open a connection have found out and set up.
    struct Parts: ~Copyable {
        var type = SocketType.raw
        var receiver: Descriptor
        /// A number below zero where the receiver sends too.
        var sender: Descriptor
        var interface: Interface?
        var link: LinkAddress?
        var internet: SocketAddress?
        var transmitStamps: TransmitStampKinds
        var hardwareStamping: HardwareStamping
        var identifierMap: IdentifierMap?
        var receiveBufferBytes: Int32
        var stampBufferBytes: Int32
        var configuration: Configuration
    }

    /// What threads wait on.
    struct Waits: ~Copyable {
        var closing: EventSignal
        var nudge: EventSignal
        var read: WaitQueue
        var write: WaitQueue
        var stamps: WaitQueue

        /// - Parameter sender: a number below zero where the receiver sends too.
        init(receiver: borrowing Descriptor, sender: borrowing Descriptor) throws(SystemError) {
            let closing = try EventSignal()
            let nudge = try EventSignal()
            let sender = sender.rawValue >= 0 ? sender.rawValue : receiver.rawValue
            let read = try WaitQueue(receiver.rawValue, UInt32(CL_EPOLLIN), closing: closing, nudge: nudge)
            let write = try WaitQueue(sender, UInt32(CL_EPOLLOUT), closing: closing, nudge: nudge)
            let stamps = try WaitQueue(sender, UInt32(CL_EPOLLERR), closing: closing, nudge: nudge)
            self.closing = closing
            self.nudge = nudge
            self.read = read
            self.write = write
            self.stamps = stamps
        }
    }

    init(_ parts: consuming Parts, _ waits: consuming Waits) {
        closing = waits.closing
        nudge = waits.nudge
        readEvents = waits.read
        writeEvents = waits.write
        stampEvents = waits.stamps
        local = parts.link.map { .link($0) } ?? .internet(parts.internet ?? SocketAddress(.v4(0), port: 0))
        interface = parts.interface
        transmitStamps = parts.transmitStamps
        hardwareStamping = parts.hardwareStamping
        identifierMap = parts.identifierMap
        receiveBufferBytes = parts.receiveBufferBytes
        allowsLaunchTimes = parts.configuration.launchTimes != nil
        stampsCarryPacket =
            parts.configuration.stampsCarryPacket || parts.configuration.launchTimes?.reportsErrors == true
        queueHoldsPackets = stampsCarryPacket || parts.sender.rawValue < 0
        socketType = parts.type
        options = parts.configuration.options
        warnings =
            ConnectionWarning.receiveBuffer(
                asked: parts.configuration.receiveBufferBytes, bufferBytes: parts.receiveBufferBytes
            ).map { [$0] } ?? []
        stampBufferBytes = Int(parts.stampBufferBytes)
        receiver = parts.receiver
        separateSender = parts.sender
    }

    /// What one unread timestamp takes of the receive buffer (832 bytes seen on Linux 6.1 to 6.18), beside its packet.
    static let stampBytes = 832

    /// The socket that sends.
    var senderFD: Int32 { isDual ? separateSender.rawValue : receiver.rawValue }
    var isDual: Bool { separateSender.rawValue >= 0 }

    /// The interface's own link-layer address; `nil` on a UDP connection.
    public var localAddress: LinkAddress? {
        if case .link(let address) = local { address } else { nil }
    }

    /// The address and port that a UDP connection is bound to; `nil` on a packet socket.
    public var localSocketAddress: SocketAddress? {
        if case .internet(let address) = local { address } else { nil }
    }

    /// Lets both sockets go and gives back what was set on the NIC and the interface. Threads that wait in a call get
    /// EBADF. Closing again does nothing.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if let interface {
            hardwareStamping.restore(to: HardwareStamping.Device(interface.index, socket: receiver))
            // Here, since the socket itself lives on for as long as a thread is still in a call with it.
            options.restore(receiver, on: interface)
        }
        closing.raise()
        // The numbers stay ours until the last reference goes, so no other thread can meet a number used anew; what
        // they name is let go of now.
        _ = cl_replace(closing.descriptor.rawValue, receiver.rawValue)
        if isDual { _ = cl_replace(closing.descriptor.rawValue, separateSender.rawValue) }
    }

    deinit { close() }

    var isOpen: Bool { !isClosed.load(ordering: .acquiring) }

    /// EBADF for a closed connection, where `code` is what its sockets gave.
    func failure(_ operation: StaticString, _ code: Int32) -> SystemError {
        isOpen ? SystemError(operation, code: code) : Self.closedError(operation)
    }

    static func closedError(_ operation: StaticString) -> SystemError {
        SystemError(operation, code: EBADF, remedy: "The connection is closed.")
    }
}
