import Testing

@testable import STAMPSession

@Suite struct TelemetryQueueTests {
    /// Empties the queue and returns each key once, in the order in which it was first taken.
    private func drain(_ queue: inout TelemetryQueue) -> [UInt32] {
        var seen: [UInt32] = []
        while queue.backlog > 0 {
            let (newer, older) = queue.take()
            for key in [older, newer] { if let key, !seen.contains(key) { seen.append(key) } }
        }
        return seen
    }

    @Test func `An empty queue has no keys`() {
        var queue = TelemetryQueue(capacity: 16)
        #expect(queue.take() == (nil, nil))
        #expect(queue.backlog == 0)
    }

    @Test func `The first key is sent alone`() {
        var queue = TelemetryQueue(capacity: 16)
        queue.add(7)
        #expect(queue.take() == (7, nil))
        #expect(queue.backlog == 0)
    }

    @Test func `At one key per packet each key is sent twice, so that a lost packet loses none`() {
        var queue = TelemetryQueue(capacity: 16)
        for key in UInt32(0)..<100 {
            queue.add(key)
            #expect(queue.take() == (key, key == 0 ? nil : key - 1))
        }
    }

    @Test func `Without a new key the last two are sent again`() {
        var queue = TelemetryQueue(capacity: 16)
        queue.add(1)
        queue.add(2)
        queue.add(3)
        for _ in 0..<3 { _ = queue.take() }
        #expect(queue.take() == (3, 2))
        #expect(queue.take() == (3, 2))
        queue.add(4)
        #expect(queue.take() == (4, 3))
    }

    @Test func `A small backlog is sent in order, each key once as the newer and once as the older`() {
        var queue = TelemetryQueue(capacity: 16)
        for key in UInt32(0)..<7 { queue.add(key) }
        #expect(queue.backlog == 7)
        for key in UInt32(0)..<7 { #expect(queue.take() == (key, key == 0 ? nil : key - 1)) }
    }

    @Test(arguments: [UInt32(8), 9, 63, 64, 1000, 1024])
    func `With a large backlog both places carry new keys, in order, and every key is sent`(_ count: UInt32) {
        var queue = TelemetryQueue(capacity: 1024)
        for key in 0..<count { queue.add(key) }
        #expect(queue.take() == (1, 0))
        #expect(drain(&queue).filter { $0 > 1 } == Array(2..<count))
    }

    @Test func `Two new keys per packet do not grow the backlog`() {
        var queue = TelemetryQueue(capacity: 64)
        var seen: Set<UInt32> = []
        for pair in UInt32(0)..<5000 {
            queue.add(2 * pair)
            queue.add(2 * pair + 1)
            let (newer, older) = queue.take()
            for key in [newer, older] { if let key { seen.insert(key) } }
            #expect(queue.backlog <= 8)
        }
        seen.formUnion(drain(&queue))
        #expect(seen.count == 10_000)
    }

    @Test func `A queue beyond its capacity drops the oldest keys`() {
        var queue = TelemetryQueue(capacity: 16)
        for key in UInt32(0)..<40 { queue.add(key) }
        #expect(drain(&queue) == Array(24..<40))
    }
}
