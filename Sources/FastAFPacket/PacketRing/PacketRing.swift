import CLinux
import Glibc
import LinuxKernel
import Synchronization

/// A packet socket that receives into memory shared with the kernel (PACKET_RX_RING), without a system call or a copy
/// for each packet. TPACKET v1 to v3.
///
/// One thread reads at a time; a second one gets EBUSY. Any thread may write, read statistics, set the filter or close
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
    // @unchecked: `cursor` points to memory that belongs to the thread that has set `state` to `reading`.
    let socket: Descriptor
    let closing: EventSignal
    /// Unmapped once the ring is closed and no thread reads: the mapping keeps the socket alive.
    private let mapping: Mutex<Mapping?>
    @usableFromInline let cursor: UnsafeMutablePointer<RingCursor>
    @usableFromInline let state = Atomic<UInt8>(State.idle)
    let pollTimeout: Int64?
    private let options: SocketOptions
    let published = Published()
    let totals = Mutex(Totals())
    /// True if the interface went down and no packet has been received since.
    @usableFromInline let isDown = Atomic<Bool>(false)

    /// The interface; `nil` if the ring receives from all.
    public let interface: Interface?
    /// The layout in use.
    public let version: Version
    /// The state of the NIC's timestamping as this ring found or set it.
    public var hardwareStamping: HardwareStamping { lease.stamping }
    private let lease: StampingLease

    @usableFromInline
    enum State {
        @usableFromInline static let idle: UInt8 = 0
        @usableFromInline static let reading: UInt8 = 1
        @usableFromInline static let closed: UInt8 = 2
    }

    init(
        socket: consuming Descriptor, closing: consuming EventSignal, mapping: consuming Mapping,
        geometry: RingGeometry, interface: Interface?,
        lease: StampingLease, configuration: Configuration
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
        self.lease = lease
        pollTimeout = configuration.pollTimeout.map { max(0, $0.nanoseconds) }
        options = configuration.options
    }

    deinit {
        close()
        cursor.deallocate()
    }

    /// Closes the socket, unmaps its memory, and restores what the ring changed on the NIC and the interface; the NIC's
    /// timestamping if no other connection uses it. A thread that waits for packets gets EBADF; a thread that is
    /// handling packets finishes them first. Closing again does nothing.
    public func close() {
        let before = state.bitwiseOr(State.closed, ordering: .acquiringAndReleasing).oldValue
        guard before & State.closed == 0 else { return }
        if let interface {
            lease.release(to: HardwareStamping.Device(interface.index, socket: socket))
            // Restored here, because the socket lives until the memory is unmapped, which a reader may delay.
            options.restore(socket, on: interface)
        }
        closing.raise()
        // The descriptor stays reserved until the last reference is released, so no other thread can meet it reused.
        _ = cl_replace(closing.descriptor.rawValue, socket.rawValue)
        if before == State.idle { release() }
    }

    /// EBADF once the ring is closed, because its replaced descriptor returns other errors.
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
            SystemError(
                "read", code: EBUSY, remedy: "Another thread is reading this ring: use one ring for each thread."))
    }

    @inlinable
    func endReading() {
        publish()
        let (exchanged, _) = state.compareExchange(
            expected: State.reading, desired: State.idle, ordering: .releasing)
        // The ring was closed during the read.
        if !exchanged { release() }
    }

    /// Unmaps the memory. Called once: by `close()`, or by the reader that was active then.
    @usableFromInline
    func release() { mapping.withLock { $0 = nil } }
}

extension Duration {
    /// Whole nanoseconds, clamped beyond 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, isOver) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isOver ? (seconds < 0 ? .min : .max) : sum
    }
}
