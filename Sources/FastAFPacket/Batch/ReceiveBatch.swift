import CLinux
import Glibc
import LinuxKernel

/// Storage for many received packets, allocated once and reused. Not for use by two threads at a time.
public struct ReceiveBatch: ~Copyable {
    let storage: MessageStorage
    /// The number of packets of the last receive.
    public internal(set) var count = 0

    /// - Parameters:
    ///   - capacity: the maximum number of packets per receive.
    ///   - packetBytes: the room for each packet; longer packets are truncated and marked so.
    public init(capacity: Int, packetBytes: Int) {
        storage = MessageStorage(capacity: capacity, packetBytes: packetBytes)
    }

    public var capacity: Int { storage.capacity }

    /// Calls `body` with each packet's bytes and metadata, in order of arrival. O(count), no allocation.
    public func forEach(_ body: (RawSpan, borrowing ReceivedPacket) -> Void) {
        for index in 0..<count { body(storage.received(index).bytes, ReceivedPacket(storage, index)) }
    }
}

/// Storage for many transmit timestamps, allocated once and reused. Not for use by two threads at a time.
public struct StampBatch: ~Copyable {
    let storage: MessageStorage
    var messages = 0
    var identifiers: IdentifierMap?
    /// True if the last read found the socket's error queue too full for one more timestamp.
    public internal(set) var foundQueueFull = false

    /// - Parameter capacity: the maximum number of messages per read.
    public init(capacity: Int) { storage = MessageStorage(capacity: capacity, packetBytes: 0) }

    /// The number of error-queue messages of the last read.
    public var count: Int { messages }
    public var capacity: Int { storage.capacity }

    /// Calls `body` with each transmit timestamp, in the queue's order. Skips messages that are not transmit
    /// timestamps.
    public func forEach(_ body: (TransmitStamp) -> Void) {
        // Loaded once, to avoid reference counting for each timestamp.
        let identifiers = identifiers
        for index in 0..<messages {
            if let stamp = TransmitStamp(storage.receivedControl(index), identifiers) { body(stamp) }
        }
    }
}

extension TransmitStamp {
    /// Reads an error-queue message's control data: a timestamp and an extended error of origin
    /// SO_EE_ORIGIN_TIMESTAMPING, in any order. `nil` if either is missing.
    init?(_ control: ControlMessages, _ identifiers: IdentifierMap?) {
        var stamps: SocketTimestamps?
        var error: cl_extended_error?
        for message in control {
            if let found = SocketTimestamps(message) {
                stamps = found
            } else if Self.isExtendedError(message), let found = message.load(as: cl_extended_error.self),
                found.ee_errno == UInt32(ENOMSG), found.ee_origin == UInt8(SO_EE_ORIGIN_TIMESTAMPING)
            {
                error = found
            }
        }
        guard let stamps, let error, let stage = Stage(rawValue: error.ee_info) else { return nil }
        self.init(id: identifiers?.id(ofKey: error.ee_data) ?? error.ee_data, stage: stage, stamps: stamps)
    }

    static func isExtendedError(_ message: ControlMessages.Message) -> Bool {
        switch (message.level, message.type) {
        case (CL_SOL_PACKET, PACKET_TX_TIMESTAMP), (Int32(IPPROTO_IP), IP_RECVERR),
            (Int32(IPPROTO_IPV6), IPV6_RECVERR):
            true
        default:
            false
        }
    }
}
