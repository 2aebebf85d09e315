/// Timestamp sets on their way to the peer: keys of packets whose timestamps are complete, in that order. Each packet that
/// leaves takes two along, mostly a new one and the one before it, so that one lost packet loses no set.
struct TelemetryQueue {
    private var keys: [UInt32]
    private var written: UInt64 = 0
    private var taken: UInt64 = 0

    /// From this backlog on both places carry new sets.
    private static let backlogThreshold: UInt64 = 8

    /// - Parameter capacity: a power of two.
    init(capacity: Int) { keys = Array(repeating: 0, count: capacity) }

    mutating func add(_ key: UInt32) {
        keys[Int(written) & (keys.count - 1)] = key
        written &+= 1
    }

    /// Keys that no packet has taken along yet.
    var backlog: UInt64 { written &- taken }

    /// Two keys for the next packet; the first is the newer one. Where nothing is new the last two go again.
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
