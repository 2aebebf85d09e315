import Testing

@testable import FastAFPacket

/// The independent count: what the ids of the timestamps that arrived say about those that did not.
struct StampSequenceTests {
    /// A ledger of driver transmit timestamps that has sent these ids.
    private static func ledger(_ ids: some Sequence<UInt32>, capacity: Int = 16) -> TransmitLedger {
        var ledger = TransmitLedger(capacity: capacity, expecting: .software)
        for id in ids { ledger.recordSend(id: id, at: 0) }
        return ledger
    }

    private static func stamp(_ id: UInt32) -> TransmitStamp {
        TransmitStamp(id: id, stage: .sent, stamps: SocketTimestamps(software: 1))
    }

    private static func record(_ ids: some Sequence<UInt32>, into ledger: inout TransmitLedger) {
        for id in ids { _ = ledger.recordStamp(stamp(id)) }
    }

    /// Gaps and tail of the driver transmit timestamps.
    private static func absent(_ ledger: borrowing TransmitLedger) -> [Int] {
        [ledger.account.software.sequence.gaps, ledger.account.software.sequence.tail]
    }

    @Test("Before the first timestamp all sends are tail, and kinds that were not requested have none")
    func start() {
        let ledger = Self.ledger(0..<5)
        #expect(Self.absent(ledger) == [0, 5])
        #expect(ledger.account.sched.sequence.missing == 0 && ledger.account.isConfirmedByIdentifiers)
    }

    @Test("Sends without a timestamp are gaps before the newest timestamp, and tail after it")
    func gapsAndTail() {
        var ledger = Self.ledger(0..<10)
        Self.record([0, 1, 4, 6], into: &ledger)
        #expect(Self.absent(ledger) == [3, 3])
        #expect(ledger.account.isConfirmedByIdentifiers)
    }

    @Test("With all timestamps there is neither gap nor tail")
    func complete() {
        var ledger = Self.ledger(0..<10)
        Self.record(0..<10, into: &ledger)
        #expect(Self.absent(ledger) == [0, 0])
    }

    @Test("Timestamps out of order fill their gaps, whatever the order")
    func outOfOrder() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<50 {
            var ledger = Self.ledger(0..<16)
            let order = (0..<16 as Range<UInt32>).shuffled(using: &random)
            for (count, id) in order.enumerated() {
                Self.record([id], into: &ledger)
                let newest = Int(order[...count].max() ?? 0)
                #expect(Self.absent(ledger) == [newest - count, 15 - newest], "\(order)")
            }
        }
    }

    @Test("A duplicate timestamp neither fills nor opens a gap")
    func duplicates() {
        var ledger = Self.ledger(0..<6)
        Self.record([1, 1, 4, 4, 1, 4], into: &ledger)
        #expect(Self.absent(ledger) == [3, 1] && ledger.account.unknownStamps == 4)
        _ = Self.expire(&ledger)
        Self.record([1, 2, 2], into: &ledger)
        #expect(Self.absent(ledger) == [2, 1] && ledger.account.isConfirmedByIdentifiers)
    }

    @Test("Ids that wrap leave no gap", arguments: [0, 1, 7, 15] as [UInt32])
    func wraps(before: UInt32) {
        let ids = (0..<16 as Range<UInt32>).map { UInt32.max - before &+ $0 }
        var ledger = Self.ledger(ids)
        Self.record(ids.enumerated().filter { $0.offset % 4 != 2 }.map(\.element), into: &ledger)
        #expect(Self.absent(ledger) == [4, 0])
        Self.record([ids[2]], into: &ledger)
        #expect(Self.absent(ledger) == [3, 0] && ledger.account.isConfirmedByIdentifiers)
    }

    @Test("Ids that were never sent are no gap: only sends count")
    func sparse() {
        var ledger = Self.ledger([5, 1000, 7, 1 << 31, 3])
        Self.record([1 << 31], into: &ledger)
        #expect(Self.absent(ledger) == [3, 1])
        Self.record([3], into: &ledger)
        #expect(Self.absent(ledger) == [3, 0])
    }

    @Test("A gap that a late timestamp fills is closed, written off before or not")
    func late() {
        var ledger = Self.ledger(0..<4)
        Self.record([0, 3], into: &ledger)
        _ = Self.expire(&ledger)
        #expect(Self.absent(ledger) == [2, 0])
        let match = ledger.recordStamp(Self.stamp(2))
        #expect(match == .late && Self.absent(ledger) == [1, 0])
        let account = ledger.account
        #expect(account.isConfirmedByIdentifiers && account.software.missing == 1 && account.software[.late] == 1)
    }

    @Test("A late timestamp after the newest turns tail into gap")
    func lateTail() {
        var ledger = Self.ledger(0..<4)
        _ = Self.expire(&ledger)
        Self.record([2], into: &ledger)
        #expect(Self.absent(ledger) == [2, 1] && ledger.account.isConfirmedByIdentifiers)
    }

    @Test("Once all is written off, gaps and tail equal the lost and skipped timestamps", arguments: [false, true])
    func writtenOff(wasFull: Bool) {
        var ledger = Self.ledger(0..<16)
        Self.record([0, 1, 2, 9], into: &ledger)
        if wasFull { ledger.recordFullQueue() }
        for id in 16..<20 as Range<UInt32> { ledger.recordSend(id: id, at: 0) }
        _ = Self.expire(&ledger)
        let software = ledger.account.software
        #expect(software.sequence.gaps + software.sequence.tail == software[.lostInBuffer] + software[.skippedByDriver])
        // The entries of 0 to 3 are reused: timestamps of the earlier sends that did not arrive stay missing.
        #expect(software.sequence.gaps == 6 && software.sequence.tail == 10 && ledger.account.isBalanced)
    }

    @Test("A timestamp of a send whose entry is reused is unknown, and its gap stays")
    func forgotten() {
        var ledger = Self.ledger(0..<20)
        Self.record([19, 2], into: &ledger)
        #expect(Self.absent(ledger) == [19, 0] && ledger.account.unknownStamps == 1)
        #expect(ledger.account.isConfirmedByIdentifiers)
    }

    @Test("Each kind has its own gaps, without sends that did not request the kind")
    func kinds() {
        var ledger = TransmitLedger(capacity: 16, expecting: [.sched, .software])
        for id in 0..<6 as Range<UInt32> { ledger.recordSend(id: id, at: 0, expecting: id % 2 == 0 ? nil : .sched) }
        Self.record([4], into: &ledger)
        _ = ledger.recordStamp(TransmitStamp(id: 5, stage: .sched, stamps: SocketTimestamps(software: 1)))
        #expect(Self.absent(ledger) == [2, 0])
        #expect(ledger.account.sched.sequence.gaps == 5 && ledger.account.sched.sequence.tail == 0)
        // Not requested, so not counted.
        Self.record([5], into: &ledger)
        #expect(Self.absent(ledger) == [2, 0] && ledger.account.isConfirmedByIdentifiers)
    }

    @Test("The independent count contradicts wrong counts")
    func contradiction() {
        var account = Self.ledger(0..<4).account
        #expect(account.isConfirmedByIdentifiers)
        account.move(.software, from: .pending, to: .stamped)
        #expect(account.isBalanced && !account.isConfirmedByIdentifiers)
    }

    private static func expire(_ ledger: inout TransmitLedger) -> Int {
        var named = 0
        ledger.expire(sentBefore: .max) { _, _, _ in named += 1 }
        return named
    }
}
