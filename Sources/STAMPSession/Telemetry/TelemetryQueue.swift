/// The queue of timestamp sets to be reported to the peer: the keys of packets in the order in which their timestamps
/// became complete. Each sent packet carries two sets, usually a new one and the previous one, so that one lost packet
/// loses no set.
struct TelemetryQueue {
    private var keys: [UInt32]
    private var written: UInt64 = 0
    private var taken: UInt64 = 0

    /// The backlog from which both places carry new sets.
    private static let backlogThreshold: UInt64 = 8

    /// Creates an empty queue.
    ///
    /// - Parameter capacity: the least number of keys, which is rounded up to a power of two.
    init(capacity: Int) {
        var size = 1
        while size < capacity { size <<= 1 }
        keys = Array(repeating: 0, count: size)
    }

    mutating func add(_ key: UInt32) {
        keys[Int(written) & (keys.count - 1)] = key
        written &+= 1
    }

    mutating func removeAll() { (written, taken) = (0, 0) }

    /// The number of keys that no packet has carried yet.
    var backlog: UInt64 { written &- taken }

    /// Removes the keys for the next packet, the newer one first. Without new keys the last two are repeated.
    mutating func take() -> (UInt32?, UInt32?) {
        let capacity = UInt64(keys.count)
        if backlog > capacity { taken = written &- capacity }
        if backlog >= Self.backlogThreshold {
            taken &+= 2
        } else if backlog > 0 {
            taken &+= 1
        }
        return (key(before: taken, 1), key(before: taken, 2))
    }

    private func key(before end: UInt64, _ distance: UInt64) -> UInt32? {
        end >= distance ? keys[Int(end &- distance) & (keys.count - 1)] : nil
    }
}
