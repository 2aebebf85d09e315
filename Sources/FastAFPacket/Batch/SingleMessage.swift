import Synchronization

/// Batches of one whose packets lie in the caller's memory, for the calls for a single packet.
final class SingleMessage: @unchecked Sendable {
    // @unchecked: it belongs to one call at a time.
    var batch = SendBatch(capacity: 1, packetBytes: 0)
    let received = MessageStorage(capacity: 1, packetBytes: 0)

    /// The messages that no call is using: at most as many as there were concurrent calls.
    struct Pool: ~Copyable, Sendable {
        private let idle = Mutex<[SingleMessage]>([])

        func take() -> SingleMessage { idle.withLock { $0.popLast() } ?? SingleMessage() }

        func recycle(_ message: SingleMessage) { idle.withLock { $0.append(message) } }
    }
}
