import Testing

@testable import STAMPSession

@Suite struct MemoryTests {
    @Test func `A probe in flight takes at most 256 bytes: its slot and twice an entry of the replies' order`() {
        #expect(MemoryLayout<ProbeSlot>.stride <= 232)
        #expect(ReplyOrder.entryBytes == 12)
        #expect(MemoryLayout<ProbeSlot>.stride + 2 * ReplyOrder.entryBytes <= 256)
        // The order's size is a power of two, and so at most twice the slots.
        for slots in [1, 36, 64, 65, 1000, 1 << 18] {
            #expect(ReplyOrder(capacity: slots).capacity <= max(64, 2 * slots))
        }
    }

    @Test func `A reply in flight takes at most 216 bytes, as the reflector's documentation says`() {
        #expect(MemoryLayout<ReplySlot>.stride <= 216)
    }

    @Test func `The slots of a session-sender cover twice the timeout, two bursts and 14 more, up to 262,144`() {
        #expect(SenderBench().capacity == 36)
        #expect(SenderBench { $0.schedule = .burst(20) }.capacity == 74)
        #expect(SenderBench { $0.intervalNanoseconds = 1000 }.capacity == 200_016)
        #expect(SenderBench { $0.intervalNanoseconds = 100 }.capacity == 1 << 18)
        #expect(SenderBench { $0.intervalNanoseconds = 0 }.capacity == 1 << 18)
        #expect(SenderBench { $0.intervalNanoseconds = .max }.capacity == 16)
        #expect(SenderBench { $0.schedule = .burst(0) }.capacity == 36)
        #expect(SenderBench { $0.schedule = .burst(.max) }.capacity == 1 << 18)
    }
}

@Suite struct SequenceRingTests {
    private var ring = SequenceRing<Int>(capacity: 4, empty: -1, next: .max)

    @Test mutating func `A number is found until a newer one takes its slot, also across 2^32`() {
        #expect(ring.index(of: .max) == nil && ring.index(of: 0) == nil)
        for value in 0..<6 {
            let sequence = ring.next
            ring.append(value)
            #expect(ring.index(of: sequence).map { ring[$0] } == value)
            #expect(ring.index(of: ring.next) == nil)
        }
        #expect(ring.next == 5)
        #expect(ring.index(of: .max) == nil && ring.index(of: 0) == nil)
        for sequence in UInt32(1)..<5 { #expect(ring.index(of: sequence).map { ring[$0] } == Int(sequence) + 1) }
    }

    @Test(arguments: 0..<12)
    mutating func `Growing keeps every slot`(_ count: Int) {
        for value in 0..<count { ring.append(value) }
        ring.grow(to: 8, empty: -1)
        #expect(ring.capacity == 8)
        for value in max(0, count - 4)..<count {
            #expect(ring.index(of: .max &+ UInt32(value)).map { ring[$0] } == value)
        }
        #expect(ring.index(of: .max &+ UInt32(max(0, count - 4)) &- 1) == nil)
        for value in count..<count + 20 { ring.append(value) }
        for value in count + 12..<count + 20 {
            #expect(ring.index(of: .max &+ UInt32(value)).map { ring[$0] } == value)
        }
        ring.grow(to: 8, empty: -1)
        ring.grow(to: 3, empty: -1)
        #expect(ring.capacity == 8)
    }

    @Test mutating func `Growing by one fills the last slot next`() {
        for value in 0..<4 { ring.append(value) }
        ring.grow(to: 5, empty: -1)
        ring.append(4)
        ring.append(5)
        for value in 1..<6 { #expect(ring.index(of: .max &+ UInt32(value)).map { ring[$0] } == value) }
    }

    @Test mutating func `A ring that was emptied counts on, and its slots grow again`() {
        for value in 0..<6 { ring.append(value) }
        ring.removeAll()
        #expect(ring.capacity == 1 && ring.next == 5 && ring.index(of: 4) == nil)
        ring.append(9)
        #expect(ring.index(of: 5).map { ring[$0] } == 9)
        ring.grow(to: 2, empty: -1)
        ring.append(10)
        #expect(ring.index(of: 5).map { ring[$0] } == 9 && ring.index(of: 6).map { ring[$0] } == 10)
    }

    @Test func `A ring has at least one slot`() {
        #expect(SequenceRing<Int>(capacity: 0, empty: 0).capacity == 1)
    }
}
