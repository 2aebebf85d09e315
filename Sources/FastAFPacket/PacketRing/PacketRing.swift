import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// A packet socket whose received packets lie in memory that it shares with the kernel (PACKET_RX_RING): no system call
/// and no copy for a packet. TPACKET v1 to v3.
///
/// One thread reads at a time; a second one gets EBUSY. Any thread may write, read statistics, set the filter or close,
/// at any time.
///
/// Coming from gopacket's afpacket:
///
/// | Go | here |
/// |---|---|
/// | `NewTPacket(opts…)` | ``open(on:configuration:)`` |
/// | `OptInterface`, or none for all | the interface, or `nil` for all |
/// | `OptFrameSize`, `OptBlockSize`, `OptNumBlocks` | ``Configuration/frameSize``, ``Configuration/blockSize``, ``Configuration/blockCount`` |
/// | `OptBlockTimeout`, `OptPollTimeout` | ``Configuration/blockTimeout``, ``Configuration/pollTimeout`` |
/// | `OptTPacketVersion`, `OptSocketType` | ``Configuration/version``, ``Configuration/socketType`` |
/// | `OptAddVLANHeader` | ``Configuration/restoresVLANTag`` |
/// | `ZeroCopyReadPacketData` | ``readPacket(_:)``, and ``readBlock(_:)`` for many |
/// | `ReadPacketData` | ``readPacket()`` |
/// | `ReadPacketDataTo` | ``readPacket(into:)`` |
/// | `gopacket.CaptureInfo` | ``CaptureInfo``, and ``RingPacket`` without a copy |
/// | `Stats`, `SocketStats`, `InitSocketStats` | ``statistics``, ``socketStatistics()``, ``resetStatistics()`` |
/// | `ErrTimeout`, `ErrPoll` | ``RingError/timeout``, ``RingError/pollFailed(_:)`` |
/// | `SetBPF`, `SetFanout` | ``setFilter(_:)``, ``joinFanout(_:)`` |
/// | `FanoutHashWithDefrag` | ``Fanout`` with the flag ``Fanout/Flags/defragment`` |
/// | `WritePacketData` | ``write(_:)`` |
/// | `Close` | ``close()`` |
///
/// Source: packet(7), Documentation/networking/packet_mmap.rst.
public final class PacketRing: @unchecked Sendable {
    // @unchecked: what `cursor` points to belongs to the thread that has set `state` to `reading`.
    let socket: Descriptor
    let closing: EventSignal
    /// Until the ring is closed and nobody reads any more: it keeps the socket alive.
    private let mapping: Mutex<Mapping?>
    @usableFromInline let cursor: UnsafeMutablePointer<RingCursor>
    @usableFromInline let state = Atomic<UInt8>(State.idle)
    let pollTimeout: Int64?
    private let options: SocketOptions
    let published = Published()
    let totals = Mutex(Totals())
    /// Whether the interface went down and no packet has come since.
    @usableFromInline let isDown = Atomic<Bool>(false)

    /// The interface; `nil` where all are heard.
    public let interface: Interface?
    /// The layout in use.
    public let version: Version
    /// How the NIC's timestamping was found or set.
    public let hardwareStamping: HardwareStamping

    @usableFromInline
    enum State {
        @usableFromInline static let idle: UInt8 = 0
        @usableFromInline static let reading: UInt8 = 1
        @usableFromInline static let closed: UInt8 = 2
    }

    init(
        socket: consuming Descriptor, closing: consuming EventSignal, mapping: consuming Mapping,
        geometry: RingGeometry, interface: Interface?,
        hardwareStamping: HardwareStamping, configuration: Configuration
    ) {
        self.closing = closing
        cursor = .allocate(capacity: 1)
        cursor.initialize(
            to: RingCursor(
                base: mapping.base, geometry: geometry, restoresVLANTag: configuration.restoresVLANTag))
        self.socket = socket
        self.mapping = Mutex(mapping)
        self.interface = interface
        version = geometry.version
        self.hardwareStamping = hardwareStamping
        pollTimeout = configuration.pollTimeout.map { max(0, $0.nanoseconds) }
        options = configuration.options
    }

    deinit {
        close()
        cursor.deallocate()
    }

    /// Lets the socket and its memory go and gives back what was set on the NIC. A thread that waits for packets gets
    /// EBADF; one that is handling them does so to their end. Closing again does nothing.
    public func close() {
        let before = state.bitwiseOr(State.closed, ordering: .acquiringAndReleasing).oldValue
        guard before & State.closed == 0 else { return }
        if let interface {
            hardwareStamping.restore(to: HardwareStamping.Device(interface.index, socket: socket))
            // Here, since the socket lives until the memory goes, which a reader may keep for a while.
            options.restore(socket, on: interface)
        }
        closing.raise()
        // The number stays ours until the last reference goes, so no other thread can meet it used anew.
        _ = cl_replace(closing.descriptor.rawValue, socket.rawValue)
        if before == State.idle { release() }
    }

    /// EBADF once the ring is closed: what stands in its socket's place then gives other errors.
    func unlessClosed(_ error: SystemError) -> SystemError { isOpen ? error : RingError.closed(error.operation) }

    var isOpen: Bool { state.load(ordering: .acquiring) & State.closed == 0 }

    /// Makes the calling thread the one that reads.
    @inlinable
    func beginReading() throws(RingError) {
        let (exchanged, found) = state.compareExchange(
            expected: State.idle, desired: State.reading, ordering: .acquiring)
        if !exchanged { throw Self.refusal(found) }
    }

    @usableFromInline
    static func refusal(_ state: UInt8) -> RingError {
        if state & State.closed != 0 { return .failed(RingError.closed("read")) }
        return .failed(
            SystemError("read", code: EBUSY, remedy: "Another thread reads this ring: give each thread its own."))
    }

    @inlinable
    func endReading() {
        publish()
        let (exchanged, _) = state.compareExchange(
            expected: State.reading, desired: State.idle, ordering: .releasing)
        // Closed meanwhile.
        if !exchanged { release() }
    }

    /// Called once: by who closes, or by the reader that was at work then.
    @usableFromInline
    func release() { mapping.withLock { $0 = nil } }
}

extension Duration {
    /// Whole nanoseconds; as far as they go for more than 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, isOver) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isOver ? (seconds < 0 ? .min : .max) : sum
    }
}
