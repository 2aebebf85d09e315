import Testing

@testable import Report

/// Memory that a value holds on the heap.
private protocol HeapStorage {
    var heapBytes: Int { get }
}

extension Array: HeapStorage {
    fileprivate var heapBytes: Int {
        let storage = capacity > 0 ? 32 + capacity * MemoryLayout<Element>.stride : 0
        guard !(Element.self is any FixedWidthInteger.Type) else { return storage }
        return reduce(storage) { $0 + heapBytesOf($1) }
    }
}

extension Dictionary: HeapStorage {
    fileprivate var heapBytes: Int { capacity * (MemoryLayout<Key>.stride + MemoryLayout<Value>.stride) }
}

private func heapBytesOf(_ value: Any) -> Int {
    if let storage = value as? any HeapStorage { return storage.heapBytes }
    return Mirror(reflecting: value).children.reduce(0) { $0 + heapBytesOf($1.value) }
}

/// The bounds that docs/architecture.md states for the memory of a session's statistics.
@Suite struct StatisticsMemoryTests {
    /// The statistics of a session of 20 probes a second over veth and NICs: delays of 150 to 400 us with a tail of
    /// milliseconds, every timestamp, and a histogram of latenesses.
    private func session(
        seconds: Int, relative: Bool, _ generator: inout SplitMix
    ) -> (SessionStatistics, lateness: SignedHistogram) {
        var statistics = SessionStatistics(
            window: SessionStatistics.window(intervalNanoseconds: 50_000_000, timeoutNanoseconds: 2_000_000_000))
        var lateness = SignedHistogram()
        /// A time of at least `least`, usually below a few times as much, rarely up to `tail` more.
        func time(_ least: Int64, tail: Int64) -> Int64 {
            let share = (0..<4).reduce(1.0) { product, _ in product * .random(in: 0..<1, using: &generator) }
            return least + .random(in: 0..<least, using: &generator) + Int64(share * Double(tail))
        }
        for sequence in 0..<UInt32(20 * seconds) {
            lateness.record(time(40_000, tail: 1_000_000))
            for packet in PacketKind.allCases {
                let sent = sampleTime + Int64(sequence) * 50_000_000
                let offset: Int64 = !relative ? 0 : packet == .probe ? 3_456_789_012 : -3_456_789_012
                var row = PacketRecord(
                    session: 1, packet: packet, sequence: sequence, direction: packet == .probe ? .out : .in,
                    transmitApp: sent)
                row.transmitSched = sent + time(6000, tail: 100_000)
                row.transmitSoftware = sent + time(13_000, tail: 200_000)
                row.transmitHardwareRealtime = sent + time(15_000, tail: 250_000)
                let received = sent + time(150_000, tail: 10_000_000) + offset
                row.receiveHardwareRealtime = received
                row.receiveSoftware = received + time(5000, tail: 500_000)
                row.receiveApp = received + time(30_000, tail: 2_000_000)
                row.computeDelay(error: relative ? nil : 50_000)
                statistics.add(row)
            }
        }
        return (statistics, lateness)
    }

    @Test(arguments: [false, true])
    func `A session of 20 probes a second takes at most 512 KiB`(relative: Bool) {
        var generator = SplitMix(state: 12)
        for seconds in [60, 3600] {
            let (statistics, lateness) = session(seconds: seconds, relative: relative, &generator)
            #expect(statistics.roundTrip.count == UInt64(20 * seconds))
            let bytes = heapBytesOf(statistics) + heapBytesOf(lateness)
            #expect(bytes > 50 << 10 && bytes <= 512 << 10, "\(seconds) s: \(bytes) bytes")
        }
    }

    @Test func `A session without rows takes a few KiB`() {
        let window = SessionStatistics.window(intervalNanoseconds: 50_000_000, timeoutNanoseconds: 2_000_000_000)
        let statistics = SessionStatistics(tracksIntervals: true, window: window)
        let bytes = MemoryLayout<SessionStatistics>.size + heapBytesOf(statistics)
        #expect(bytes <= 12 << 10, "\(bytes) bytes")
    }

    @Test func `Any values take at most 220 KiB in one histogram`() {
        var generator = SplitMix(state: 12)
        var histogram = SignedHistogram()
        for _ in 0..<1_000_000 {
            histogram.record(Int64(truncatingIfNeeded: generator.next()) >> (generator.next() % 64))
        }
        let bytes = heapBytesOf(histogram)
        #expect(bytes > 200 << 10 && bytes <= 220 << 10, "\(bytes) bytes")
    }

    @Test(
        arguments: [
            (50_000_000, 2_000_000_000, 1, 162), (1_000_000_000, 2_000_000_000, 1, 64),
            (1_000_000, 2_000_000_000, 1, 8002),
            (10_000, 2_000_000_000, 1, 8192), (50_000_000, 2_000_000_000, 10_000, 8192),
            (50_000_000, 2_000_000_000, 100, 360),
            (0, -1, -1, 64), (1, .max, .max, 8192),
        ] as [(Int64, Int64, Int, Int)])
    func `The window holds twice the probes of twice the timeout`(
        interval: Int64, timeout: Int64, burst: Int, window: Int
    ) {
        #expect(
            SessionStatistics.window(intervalNanoseconds: interval, timeoutNanoseconds: timeout, burst: burst) == window
        )
    }
}
