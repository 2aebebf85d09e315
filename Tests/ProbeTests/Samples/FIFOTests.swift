import Testing

@testable import probe

@Suite struct FIFOTests {
    @Test func `Elements are removed in the order in which they were appended`() {
        var queue = FIFO<Int>()
        queue.removeFirst()
        var next = 0
        for value in 0..<10_000 {
            queue.append(value)
            guard value % 3 != 0 else { continue }
            #expect(queue.first == next)
            queue.removeFirst()
            next += 1
        }
        #expect(queue.count == 10_000 - next)
        while let first = queue.first {
            #expect(first == next)
            queue.removeFirst()
            next += 1
        }
        #expect(next == 10_000)
        #expect(queue.count == 0)
    }
}
