import Synchronization

/// A batch of one without room for its packet, which lies in the caller's own memory: what calls for a single packet use.
final class SingleMessage: @unchecked Sendable {
    // @unchecked: it belongs to one call at a time.
    var batch = SendBatch(capacity: 1, packetBytes: 0)

    /// Those that no call has now: as many as there were ever calls at a time.
    struct Pool: ~Copyable, Sendable {
        private let idle = Mutex<[SingleMessage]>([])

        func take() -> SingleMessage { idle.withLock { $0.popLast() } ?? SingleMessage() }

        func recycle(_ message: SingleMessage) { idle.withLock { $0.append(message) } }
    }
}
