import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct TransmitBookTests {
    private func hardware(_ book: TransmitBook) -> TimestampLedger.Kind { book.ledger.kinds[2] }

    @Test func `The book counts the reasons, and its sum stays the same`() {
        var book = TransmitBook(expecting: .hardware)
        var entries = (0..<6).map { _ in book.enter() }
        var reasons: [MissingReason] = [.inFlight, .inFlight, .never, .skippedByDriver, .skippedByDriver]
        for place in 0..<5 {
            let expected = reasons[0]
            let reason = book.writeOff(&entries[place], wasQueueFull: false) { reasons.removeFirst() }
            #expect(reason == expected)
        }
        #expect(hardware(book).inFlight == 2)
        #expect(hardware(book).never == 1)
        #expect(hardware(book).skippedByDriver == 2)
        #expect(hardware(book).pending == 1)
        #expect(hardware(book).sum == 6)
        // Timestamps that arrive after they were written off are no longer counted by their reason.
        for place in [0, 2, 3] { #expect(book.record(.hardware, of: &entries[place]) == .late) }
        #expect(hardware(book).late == 3)
        #expect([hardware(book).inFlight, hardware(book).never, hardware(book).skippedByDriver] == [1, 0, 1])
        #expect(hardware(book).sum == 6)
    }

    @Test func `The host explains only packets that lack nothing but the hardware timestamp`() {
        var book = TransmitBook(expecting: [.software, .hardware])
        var calls = 0
        func explain() -> MissingReason {
            calls += 1
            return .inFlight
        }
        var full = book.enter()
        _ = book.record(.software, of: &full)
        #expect(book.writeOff(&full, wasQueueFull: true, hardwareReason: explain) == .bufferFull)
        var nothing = book.enter()
        #expect(book.writeOff(&nothing, wasQueueFull: false, hardwareReason: explain) == .skippedByDriver)
        #expect(calls == 0)
        var hardwareOnly = book.enter()
        _ = book.record(.software, of: &hardwareOnly)
        #expect(book.writeOff(&hardwareOnly, wasQueueFull: false, hardwareReason: explain) == .inFlight)
        #expect(calls == 1)
        #expect(hardware(book).lostInBuffer == 1 && hardware(book).skippedByDriver == 1 && hardware(book).inFlight == 1)
    }
}

@Suite struct PlausibleStampTests {
    private static let start: Int64 = 1_800_000_000_000_000_000
    private static let now = HostTime(
        monotonic: 5, realtime: start + 2000, errorEstimate: ErrorEstimate(rawValue: 0))

    @Test func `A converted timestamp of a sent packet lies between the send call and now`() {
        let stamp = HardwareStamp(time: 7, realtime: Self.start, error: 40)
        #expect(stamp.plausible(sentAfter: Self.start - 1000, Self.now).realtime == Self.start)
        // A PHC that was set by five seconds and has not been read since.
        for step in [5_000_000_000, -5_000_000_000] as [Int64] {
            let stepped = HardwareStamp(time: 7, realtime: Self.start + step, error: 40)
            #expect(stepped.plausible(sentAfter: Self.start - 1000, Self.now) == HardwareStamp(time: 7))
        }
        #expect(stamp.plausible(sentAfter: Self.start + 40, Self.now).realtime == Self.start, "within its error")
        #expect(stamp.plausible(sentAfter: Self.start + 41, Self.now).realtime == nil)
    }
}

@Suite struct TransmitBookSumTests {
    @Test(arguments: UInt64(1)...8)
    func `Every packet is in one column of each kind after each event`(_ seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let expected = StampKinds(rawValue: UInt8.random(in: 0...7, using: &random))
        var book = TransmitBook(expecting: expected)
        var entries: [TransmitBook.Entry] = []
        var (unknown, balanced) = (0, 0)
        for _ in 0..<3000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: entries.append(book.enter())
            case 1 where !entries.isEmpty:
                let place = Int.random(in: 0..<entries.count, using: &random)
                let reason: [MissingReason] = [.inFlight, .never, .skippedByDriver, .bufferFull]
                let given = reason.randomElement(using: &random)!
                _ = book.writeOff(&entries[place], wasQueueFull: Bool.random(using: &random)) { given }
                #expect(!entries[place].isWaiting)
            case 2 where !entries.isEmpty:
                let place = Int.random(in: 0..<entries.count, using: &random)
                let kinds = StampKinds(rawValue: UInt8.random(in: 0...7, using: &random))
                if book.record(kinds, of: &entries[place]) == .unknown { unknown += 1 }
            default: break
            }
            balanced += book.ledger.isBalanced && book.waiting == entries.count(where: \.isWaiting) ? 1 : 0
        }
        #expect(balanced == 3000, "seed \(seed)")
        #expect(book.ledger.sent == entries.count && book.unknownStamps == UInt64(unknown))
        for (kind, place) in [(StampKinds.sched, 0), (.software, 1), (.hardware, 2)] {
            let account = book.ledger.kinds[place]
            #expect(account.unsupported == (expected.contains(kind) ? 0 : entries.count))
        }
        #expect(book.ledger.kinds.map(\.name) == ["sched", "software", "hardware"])
    }

    @Test func `A packet waits until its last kind has arrived, in any order`() {
        let all: [StampKinds] = [.sched, .software, .hardware]
        for first in all {
            for second in all where second != first {
                for third in all where third != first && third != second {
                    var book = TransmitBook(expecting: [.sched, .software, .hardware])
                    var entry = book.enter()
                    #expect(entry.isWaiting)
                    #expect(book.record(first, of: &entry) == .stamped(isComplete: false))
                    #expect(book.record(second, of: &entry) == .stamped(isComplete: false))
                    #expect(book.record(first, of: &entry) == .unknown)
                    #expect(book.record(third, of: &entry) == .stamped(isComplete: true))
                    #expect(!entry.isWaiting && book.record(third, of: &entry) == .unknown)
                    #expect(book.ledger.kinds.allSatisfy { $0.stamped == 1 && $0.sum == 1 })
                    #expect(book.unknownStamps == 2)
                }
            }
        }
    }

    @Test func `A message of several kinds is in time if one of them is`() {
        var book = TransmitBook(expecting: [.software, .hardware])
        var entry = book.enter()
        #expect(book.record(.software, of: &entry) == .stamped(isComplete: false))
        #expect(book.record([.software, .hardware], of: &entry) == .stamped(isComplete: true))
        #expect(book.unknownStamps == 0)
    }

    @Test func `Each reason has its column, and a full buffer is not explained by the host`() {
        let columns: [(MissingReason, KeyPath<TimestampLedger.Kind, Int>)] = [
            (.inFlight, \.inFlight), (.never, \.never), (.skippedByDriver, \.skippedByDriver),
            (.onlyPTP, \.skippedByDriver),
        ]
        for (reason, column) in columns {
            var book = TransmitBook(expecting: .hardware)
            var entry = book.enter()
            #expect(book.writeOff(&entry, wasQueueFull: false) { reason } == reason)
            #expect(book.ledger.kinds[2][keyPath: column] == 1)
            #expect(book.record(.hardware, of: &entry) == .late)
            #expect(book.ledger.kinds[2].late == 1 && book.ledger.kinds[2][keyPath: column] == 0)
        }
        var book = TransmitBook(expecting: [.sched, .software, .hardware])
        var entry = book.enter()
        _ = book.record(.software, of: &entry)
        #expect(book.writeOff(&entry, wasQueueFull: false) { .inFlight } == .skippedByDriver, "SCHED is missing too")
        #expect(book.ledger.kinds.map(\.skippedByDriver) == [1, 0, 1])
        var full = book.enter()
        #expect(book.writeOff(&full, wasQueueFull: true) { .inFlight } == .bufferFull)
        #expect(book.ledger.kinds.map(\.lostInBuffer) == [1, 1, 1])
    }
}
