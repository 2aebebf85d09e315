import Synchronization
import Testing

@testable import LinuxKernel

@Suite struct SPSCRingTests {
    @Test func `elements leave in the order in which they entered`() {
        let ring = SPSCRing<Int>(capacity: 8)
        for value in 1...5 { #expect(ring.push(value)) }
        #expect((1...5).map { _ in ring.pop() } == [1, 2, 3, 4, 5])
        #expect(ring.pop() == nil)
    }

    @Test func `an empty ring returns nil`() {
        #expect(SPSCRing<UInt8>(capacity: 2).pop() == nil)
    }

    @Test(arguments: [(0, 2), (1, 2), (2, 2), (3, 4), (4, 4), (5, 8), (1000, 1024)])
    func `a full ring rejects an element, and its capacity is a power of two`(capacity: Int, room: Int) {
        let ring = SPSCRing<Int>(capacity: capacity)
        for value in 0..<room { #expect(ring.push(value)) }
        #expect(!ring.push(room))
        #expect(ring.pop() == 0)
        #expect(ring.push(room))
        #expect(!ring.push(room + 1))
        #expect((0..<room).map { _ in ring.pop() } == Array(1...room))
    }

    @Test func `an element that is read in its slot is removed after that`() {
        let ring = SPSCRing<Int>(capacity: 2)
        #expect(ring.push(1) && ring.push(2))
        var seen: [Int] = []
        let isRead = ring.pop { element in
            seen.append(element)
            #expect(!ring.push(3))
        }
        #expect(isRead && ring.push(4))
        while ring.pop({ seen.append($0) }) {}
        #expect(seen == [1, 2, 4])
    }

    @Test func `the ring wraps around many times`() {
        let ring = SPSCRing<Int>(capacity: 4)
        for round in 0..<1000 {
            for value in 0..<3 { #expect(ring.push(round * 3 + value)) }
            for value in 0..<3 { #expect(ring.pop() == round * 3 + value) }
        }
    }

    /// Wider than a word, so that a torn read becomes visible.
    private struct Wide: Sendable, BitwiseCopyable {
        var first: Int
        var second: Int
        var third: Int
    }

    @Test func `two threads transfer a million elements, whole and in order`() async throws {
        let ring = SPSCRing<Wide>(capacity: 256)
        let count = 1_000_000
        let faults = Atomic<Int>(0)
        async let producer: Void = PacketThread.run(named: "producer") {
            var value = 0
            while value < count {
                if ring.push(Wide(first: value, second: -value, third: ~value)) { value += 1 }
            }
        }
        try await PacketThread.run(named: "consumer") {
            var expected = 0
            while expected < count {
                guard let element = ring.pop() else { continue }
                if element.first != expected || element.second != -expected || element.third != ~expected {
                    faults.add(1, ordering: .relaxed)
                }
                expected += 1
            }
        }
        try await producer
        #expect(faults.load(ordering: .relaxed) == 0)
        #expect(ring.pop() == nil)
    }
}
