import CLinux
import Glibc
import LinuxKernel

/// Storage for many received packets, allocated once and reused. Not for use by two threads at a time.
public struct ReceiveBatch: ~Copyable {
    @usableFromInline let storage: MessageStorage
    /// The number of packets of the last receive.
    public internal(set) var count = 0

    /// - Parameters:
    ///   - capacity: the maximum number of packets per receive.
    ///   - packetBytes: the room for each packet; longer packets are truncated and marked so.
    public init(capacity: Int, packetBytes: Int) {
        storage = MessageStorage(capacity: capacity, packetBytes: packetBytes)
        storage.prepareToReceive(count: storage.capacity)
    }

    public var capacity: Int { storage.capacity }

    /// Prepares for the next receive.
    mutating func removeAll() {
        storage.restoreLengths(count: count)
        count = 0
    }

    /// Calls `body` with each packet's bytes and metadata, in order of arrival. O(count), no allocation.
    @inlinable
    public func forEach(_ body: (RawSpan, borrowing ReceivedPacket) -> Void) {
        for index in 0..<count {
            var packet = ReceivedPacket()
            packet.read(storage, index)
            body(storage.received(index).bytes, packet)
        }
    }
}

/// Storage for many transmit timestamps, allocated once and reused. Not for use by two threads at a time.
public struct StampBatch: ~Copyable {
    @usableFromInline let storage: MessageStorage
    @usableFromInline var messages = 0
    @usableFromInline var identifiers: IdentifierMap?
    /// True if the last read found the socket's error queue too full for one more timestamp.
    public internal(set) var foundQueueFull = false

    /// - Parameter capacity: the maximum number of messages per read.
    public init(capacity: Int) {
        storage = MessageStorage(capacity: capacity, packetBytes: 0)
        storage.prepareToReceive(count: storage.capacity)
    }

    /// Prepares for the next read.
    mutating func removeAll() {
        storage.restoreLengths(count: messages)
        messages = 0
    }

    /// The number of error-queue messages of the last read.
    public var count: Int { messages }
    public var capacity: Int { storage.capacity }

    /// Calls `body` with each transmit timestamp, in the queue's order. Skips messages that are not transmit
    /// timestamps.
    @inlinable
    public func forEach(_ body: (TransmitStamp) -> Void) {
        // Loaded once, to avoid reference counting for each timestamp.
        let identifiers = identifiers
        for index in 0..<messages {
            var stamp = TransmitStamp(id: 0, stage: .sent, stamps: SocketTimestamps())
            guard stamp.read(storage, index) else { continue }
            if let identifiers { stamp.id = identifiers.id(ofKey: stamp.id) }
            body(stamp)
        }
    }
}

extension TransmitStamp {
    /// Reads an error-queue message's control data, as ``read(_:)`` does, and finds the caller's id.
    init?(_ control: ControlMessages, _ identifiers: IdentifierMap?) {
        self.init(id: 0, stage: .sent, stamps: SocketTimestamps())
        guard read(control) else { return nil }
        if let identifiers { id = identifiers.id(ofKey: id) }
    }

    /// Reads an error-queue message, as ``read(_:)`` does.
    @usableFromInline
    mutating func read(_ storage: borrowing MessageStorage, _ index: Int) -> Bool {
        read(storage.receivedControl(index))
    }

    /// Reads an error-queue message's control data: a timestamp and an extended error of origin
    /// SO_EE_ORIGIN_TIMESTAMPING, in any order. Returns `false` if either is missing. The id is the kernel's key.
    @inline(__always)
    private mutating func read(_ control: ControlMessages) -> Bool {
        // Pointers, because a copy of each message's data costs more.
        var (times, failure) = (UnsafeRawPointer?.none, UnsafeRawPointer?.none)
        for message in control {
            if SocketTimestamps.isPresent(in: message) {
                times = message.data.baseAddress
            } else if Self.isExtendedError(message), let error = message.load(as: cl_extended_error.self),
                error.ee_errno == UInt32(ENOMSG), error.ee_origin == UInt8(SO_EE_ORIGIN_TIMESTAMPING)
            {
                failure = message.data.baseAddress
            }
        }
        guard let times, let error = failure?.loadUnaligned(as: cl_extended_error.self),
            let stage = Stage(rawValue: error.ee_info)
        else { return false }
        id = error.ee_data
        self.stage = stage
        stamps = SocketTimestamps(times.loadUnaligned(as: cl_scm_timestamping64.self))
        return true
    }

    @inline(__always)
    static func isExtendedError(_ message: ControlMessages.Message) -> Bool {
        switch message.level {
        case CL_SOL_PACKET: message.type == PACKET_TX_TIMESTAMP
        case Int32(IPPROTO_IP): message.type == IP_RECVERR
        case Int32(IPPROTO_IPV6): message.type == IPV6_RECVERR
        default: false
        }
    }
}
