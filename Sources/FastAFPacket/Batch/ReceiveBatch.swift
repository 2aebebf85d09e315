import CLinux
import Glibc
import LinuxKernel

/// Storage for many received packets at once, made once and used for every receive. Not for two threads at a time.
public struct ReceiveBatch: ~Copyable {
    let storage: MessageStorage
    /// Packets of the last receive.
    public internal(set) var count = 0

    /// - Parameters:
    ///   - capacity: packets a receive, at most.
    ///   - packetBytes: room for each; longer packets are truncated, and say so.
    public init(capacity: Int, packetBytes: Int) {
        storage = MessageStorage(capacity: capacity, packetBytes: packetBytes)
    }

    public var capacity: Int { storage.capacity }

    /// Calls `body` with the bytes of each packet and what the kernel told of it, in order of arrival. O(count), no
    /// allocation.
    public func forEach(_ body: (RawSpan, borrowing ReceivedPacket) -> Void) {
        for index in 0..<count { body(storage.received(index).bytes, ReceivedPacket(storage, index)) }
    }
}

/// Storage for many transmit timestamps at once, made once. Not for two threads at a time.
public struct StampBatch: ~Copyable {
    let storage: MessageStorage
    var messages = 0
    var identifiers: IdentifierMap?
    /// Whether the last read found the socket's error queue so full that the next timestamp would have been thrown away.
    public internal(set) var foundQueueFull = false

    /// - Parameter capacity: timestamps a read, at most.
    public init(capacity: Int) { storage = MessageStorage(capacity: capacity, packetBytes: 0) }

    /// Error-queue messages of the last read.
    public var count: Int { messages }
    public var capacity: Int { storage.capacity }

    /// Calls `body` with each transmit timestamp, in the queue's order. Messages that are not transmit timestamps are passed
    /// over.
    public func forEach(_ body: (TransmitStamp) -> Void) {
        // Looked up once: the reference would be counted for each timestamp.
        let identifiers = identifiers
        for index in 0..<messages {
            if let stamp = TransmitStamp(storage.receivedControl(index), identifiers) { body(stamp) }
        }
    }
}

extension TransmitStamp {
    /// Reads an error-queue message's control data: a timestamp and an extended error of origin "timestamping", in any
    /// order. `nil` where either is not there.
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
