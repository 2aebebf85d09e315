import Testing

@testable import probe

/// A pseudorandom generator whose numbers are the same in each run: SplitMix64.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct TimerHeapTests {
    @Test func `Without sessions or deadlines nothing is due`() {
        #expect(TimerHeap(count: 0).deadline == .max && TimerHeap(count: 0).first == nil)
        #expect(TimerHeap(count: 3).deadline == .max)
    }

    @Test(arguments: [1, 2, 3, 7, 100, 1000], [1, 2, 3] as [UInt64])
    func `The first session has the earliest deadline, after any changes`(count: Int, seed: UInt64) {
        var random = SeededRandom(state: seed)
        var heap = TimerHeap(count: count)
        var model = [Int64](repeating: .max, count: count)
        for step in 0..<5000 {
            // Few different values, so that many are equal; some sessions have no deadline.
            let deadline: Int64 =
                random.next() % 5 == 0 ? .max : Int64.random(in: step % 2 == 0 ? 0...20 : .min...(.max), using: &random)
            // A session at the top is changed most often, as when it has sent a probe.
            let session = random.next() % 2 == 0 ? heap.first ?? 0 : Int.random(in: 0..<count, using: &random)
            heap.set(session, to: deadline)
            model[session] = deadline
            guard heap.deadline == model.min(), let first = heap.first, model[first] == heap.deadline else {
                Issue.record("seed \(seed), step \(step): \(heap.deadline), not \(model.min() ?? 0)")
                return
            }
        }
    }

    @Test(arguments: [4, 5, 6] as [UInt64])
    func `Sessions that are removed one after the other come in the order of their deadlines`(seed: UInt64) {
        var random = SeededRandom(state: seed)
        let deadlines = (0..<500).map { _ in Int64.random(in: 0...300, using: &random) }
        var heap = TimerHeap(count: deadlines.count)
        for (session, deadline) in deadlines.enumerated() { heap.set(session, to: deadline) }
        var found: [Int64] = []
        while heap.deadline != .max, let first = heap.first {
            found.append(heap.deadline)
            heap.set(first, to: .max)
        }
        #expect(found == deadlines.sorted(), "seed \(seed)")
    }
}
