import Testing

@testable import FastAFPacket

struct TransmitLedgerTests {
    private static func sched(_ id: UInt32) -> TransmitStamp {
        TransmitStamp(id: id, stage: .sched, stamps: SocketTimestamps(software: 1))
    }
    private static func sent(_ id: UInt32) -> TransmitStamp {
        TransmitStamp(id: id, stage: .sent, stamps: SocketTimestamps(software: 2))
    }
    private static func hardware(_ id: UInt32) -> TransmitStamp {
        TransmitStamp(id: id, stage: .sent, stamps: SocketTimestamps(hardware: 3))
    }

    /// The result of one expiry.
    private struct WrittenOff: Equatable {
        var id: UInt32
        var lost: TransmitStampKinds = []
        var skipped: TransmitStampKinds = []
    }

    private static func expire(_ ledger: inout TransmitLedger, before time: Int64 = .max) -> [WrittenOff] {
        var found: [WrittenOff] = []
        ledger.expire(sentBefore: time) { found.append(WrittenOff(id: $0, lost: $1, skipped: $2)) }
        return found
    }

    @Test("A send is pending in each requested kind, and unsupported in the others")
    func entered() {
        var ledger = TransmitLedger(capacity: 16, expecting: [.sched, .software])
        ledger.recordSend(id: 1, at: 0)
        let account = ledger.account
        #expect(account.sent == 1 && account.isBalanced)
        #expect(account.sched[.pending] == 1 && account.software[.pending] == 1 && account.hardware[.unsupported] == 1)
    }

    @Test("Timestamps complete a send in any order, and a duplicate of a kind is unknown")
    func stamped() {
        var ledger = TransmitLedger(capacity: 16, expecting: .all)
        ledger.recordSend(id: 9, at: 0)
        let matches = [
            ledger.recordStamp(Self.hardware(9)), ledger.recordStamp(Self.sched(9)), ledger.recordStamp(Self.sched(9)),
            ledger.recordStamp(Self.sent(9)), ledger.recordStamp(Self.sent(9)),
        ]
        #expect(
            matches == [
                .stamped(isComplete: false), .stamped(isComplete: false), .unknown, .stamped(isComplete: true),
                .unknown,
            ])
        let account = ledger.account
        #expect(account.isBalanced && account.unknownStamps == 2)
        #expect(account.sched[.stamped] == 1 && account.software[.stamped] == 1 && account.hardware[.stamped] == 1)
        #expect(Self.expire(&ledger).isEmpty)
    }

    @Test("One message with software and hardware times completes both kinds")
    func bothTimes() {
        var ledger = TransmitLedger(capacity: 16, expecting: [.software, .hardware])
        ledger.recordSend(id: 0, at: 0)
        let both = TransmitStamp(id: 0, stage: .sent, stamps: SocketTimestamps(software: 1, hardware: 2))
        let match = ledger.recordStamp(both)
        #expect(match == .stamped(isComplete: true))
    }

    @Test("Timestamps of kinds not requested, of no kind, and of no send are unknown")
    func unknown() {
        var ledger = TransmitLedger(capacity: 16, expecting: .sched)
        var matches = [ledger.recordStamp(Self.sched(0))]
        ledger.recordSend(id: 0, at: 0)
        matches += [
            ledger.recordStamp(Self.hardware(0)), ledger.recordStamp(Self.sched(16)),
            ledger.recordStamp(TransmitStamp(id: 0, stage: .completed, stamps: SocketTimestamps(software: 1))),
        ]
        #expect(matches.allSatisfy { $0 == .unknown })
        let account = ledger.account
        #expect(account.unknownStamps == 4 && account.isBalanced && account.sched[.pending] == 1)
    }

    @Test("Timestamps that do not arrive in time are skipped if the queue had room, and reported oldest first")
    func skipped() {
        var ledger = TransmitLedger(capacity: 16, expecting: [.sched, .software])
        for id in 0..<4 as Range<UInt32> { ledger.recordSend(id: id, at: Int64(id) * 10) }
        _ = ledger.recordStamp(Self.sched(0))
        _ = ledger.recordStamp(Self.sched(1))
        _ = ledger.recordStamp(Self.sent(1))
        let first = Self.expire(&ledger, before: 20)
        #expect(first == [WrittenOff(id: 0, skipped: .software)])
        let none = Self.expire(&ledger, before: 20)
        #expect(none.isEmpty)
        let rest = Self.expire(&ledger)
        #expect(
            rest == [
                WrittenOff(id: 2, skipped: [.sched, .software]), WrittenOff(id: 3, skipped: [.sched, .software]),
            ])
        let account = ledger.account
        #expect(account.isBalanced && account.software[.skippedByDriver] == 3 && account.sched[.skippedByDriver] == 2)
    }

    @Test("Sends that waited when the queue was found full are lost there; later sends are not")
    func lost() {
        var ledger = TransmitLedger(capacity: 16, expecting: .software)
        for id in 0..<3 as Range<UInt32> { ledger.recordSend(id: id, at: 0) }
        _ = ledger.recordStamp(Self.sent(0))
        ledger.recordFullQueue()
        ledger.recordSend(id: 3, at: 0)
        // It was in the queue, unread.
        _ = ledger.recordStamp(Self.sent(1))
        let named = Self.expire(&ledger)
        #expect(named == [WrittenOff(id: 2, lost: .software), WrittenOff(id: 3, skipped: .software)])
        let account = ledger.account
        #expect(account.software[.stamped] == 2 && account.software[.lostInBuffer] == 1)
        #expect(account.software[.skippedByDriver] == 1 && account.isBalanced)
    }

    @Test(
        "A timestamp that arrives after its send was written off is late, whether lost or skipped",
        arguments: [true, false])
    func late(wasFull: Bool) {
        var ledger = TransmitLedger(capacity: 16, expecting: [.sched, .software])
        ledger.recordSend(id: 5, at: 0)
        if wasFull { ledger.recordFullQueue() }
        _ = Self.expire(&ledger)
        let matches = [
            ledger.recordStamp(Self.sent(5)), ledger.recordStamp(Self.sent(5)), ledger.recordStamp(Self.sched(5)),
        ]
        #expect(matches == [.late, .unknown, .late])
        let account = ledger.account
        #expect(account.software[.late] == 1 && account.sched[.late] == 1 && account.isBalanced)
        #expect(account.software[.lostInBuffer] == 0 && account.software[.skippedByDriver] == 0)
    }

    @Test("Ids wrap from the largest to zero without a gap")
    func wraps() {
        var ledger = TransmitLedger(capacity: 16, expecting: .software)
        let ids = (0..<10).map { UInt32.max - 4 &+ UInt32($0) }
        for (index, id) in ids.enumerated() { ledger.recordSend(id: id, at: Int64(index)) }
        for id in ids where id % 2 == 0 { _ = ledger.recordStamp(Self.sent(id)) }
        let named = Self.expire(&ledger)
        #expect(named.map(\.id) == ids.filter { $0 % 2 == 1 })
        let account = ledger.account
        #expect(account.software[.stamped] == 5 && account.isBalanced)
    }

    @Test("A gap in the ids does not hide earlier sends that wait", arguments: [1, 3, 100, 1 << 31, UInt32.max])
    func gaps(gap: UInt32) {
        var ledger = TransmitLedger(capacity: 64, expecting: .software)
        for id in 0..<4 as Range<UInt32> { ledger.recordSend(id: id, at: 0) }
        let next = 3 &+ gap &+ 1
        ledger.recordSend(id: next == 0 || next == 3 ? 40 : next, at: 0)
        let named = Self.expire(&ledger).map(\.id)
        #expect(named.prefix(4) == [0, 1, 2, 3] && named.count == 5)
    }

    @Test("With more waiting sends than capacity the oldest are written off, and the sums hold")
    func overflows() {
        var ledger = TransmitLedger(capacity: 16, expecting: .software)
        for id in 0..<100 as Range<UInt32> { ledger.recordSend(id: id, at: 0) }
        let account = ledger.account
        #expect(account.software[.pending] == 16 && account.software[.skippedByDriver] == 84 && account.isBalanced)
        let named = Self.expire(&ledger)
        #expect(named.map(\.id) == Array(84..<100))
    }

    @Test("An id that shares another's entry writes the earlier send off, and the sums hold")
    func collisions() {
        var ledger = TransmitLedger(capacity: 16, expecting: .software)
        for id in [1, 17, 33, 33] as [UInt32] { ledger.recordSend(id: id, at: 0) }
        let match = ledger.recordStamp(Self.sent(17))
        let again = ledger.recordStamp(Self.sent(33))
        #expect(match == .unknown && again == .stamped(isComplete: true))
        let account = ledger.account
        #expect(account.software[.skippedByDriver] == 3 && account.software[.stamped] == 1 && account.isBalanced)
        #expect(account.software[.pending] == 0)
    }

    @Test("A send waits for the kinds that it requested, and for none if it requested none")
    func otherKinds() {
        var ledger = TransmitLedger(capacity: 16, expecting: [.sched, .software])
        ledger.recordSend(id: 0, at: 0, expecting: .hardware)
        ledger.recordSend(id: 1, at: 0, expecting: [])
        ledger.recordSend(id: 2, at: 0)
        let account = ledger.account
        #expect(account.isBalanced && account.sent == 3)
        #expect(account.sched[.unsupported] == 2 && account.sched[.pending] == 1)
        #expect(account.hardware[.unsupported] == 2 && account.hardware[.pending] == 1)
        let matches = [
            ledger.recordStamp(Self.sched(0)), ledger.recordStamp(Self.hardware(0)), ledger.recordStamp(Self.sent(1)),
            ledger.recordStamp(Self.sched(2)),
        ]
        #expect(matches == [.unknown, .stamped(isComplete: true), .unknown, .stamped(isComplete: false)])
        let named = Self.expire(&ledger)
        #expect(named == [WrittenOff(id: 2, skipped: .software)])
        #expect(ledger.account.isConfirmedByIdentifiers)
    }

    /// A plain reference model of the documented counts, which searches a list.
    private struct Model {
        struct Send {
            var id: UInt32
            var time: Int64
            var state: [TransmitStampKinds.RawValue: TransmitAccount.Outcome]
            var metFull = false
            var isForgotten = false
            var came: TransmitStampKinds = []
        }
        static let kinds: [TransmitStampKinds] = [.sched, .software, .hardware]
        let capacity: Int
        var sends: [Send] = []
        var unknown = 0

        func isPending(_ send: Send) -> Bool { send.state.values.contains(.pending) }

        mutating func writeOff(_ index: Int) {
            for (kind, state) in sends[index].state where state == .pending {
                sends[index].state[kind] = sends[index].metFull ? .lostInBuffer : .skippedByDriver
            }
        }

        mutating func send(_ id: UInt32, _ time: Int64, _ expected: TransmitStampKinds) {
            if sends.count >= capacity { writeOff(sends.count - capacity) }
            for index in sends.indices where sends[index].id % UInt32(capacity) == id % UInt32(capacity) {
                writeOff(index)
                sends[index].isForgotten = true
            }
            let state = Self.kinds.map {
                ($0.rawValue, expected.contains($0) ? .pending : TransmitAccount.Outcome.unsupported)
            }
            sends.append(Send(id: id, time: time, state: Dictionary(uniqueKeysWithValues: state)))
        }

        mutating func stamp(_ stamp: TransmitStamp) {
            guard let index = sends.lastIndex(where: { $0.id == stamp.id && !$0.isForgotten }) else {
                unknown += 1
                return
            }
            var isKnown = false
            for kind in Self.kinds where stamp.kinds.contains(kind) {
                switch sends[index].state[kind.rawValue] {
                case .pending: sends[index].state[kind.rawValue] = .stamped
                case .lostInBuffer, .skippedByDriver: sends[index].state[kind.rawValue] = .late
                default: continue
                }
                sends[index].came.insert(kind)
                isKnown = true
            }
            if !isKnown { unknown += 1 }
        }

        mutating func expire(_ time: Int64) -> [UInt32] {
            var named: [UInt32] = []
            for index in sends.indices where isPending(sends[index]) {
                guard sends[index].time < time else { break }
                writeOff(index)
                named.append(sends[index].id)
            }
            return named
        }

        func count(_ kind: TransmitStampKinds, _ outcome: TransmitAccount.Outcome) -> Int {
            sends.filter { $0.state[kind.rawValue] == outcome }.count
        }

        /// Sends without their timestamp before and after the newest one that has it.
        func absent(_ kind: TransmitStampKinds) -> (gaps: Int, tail: Int) {
            let came = sends.filter { $0.state[kind.rawValue] != .unsupported }.map { $0.came.contains(kind) }
            let newest = came.lastIndex(of: true).map { $0 + 1 } ?? 0
            return (came[..<newest].count { !$0 }, came.count - newest)
        }
    }

    @Test("The ledger agrees with the reference model after random operations", arguments: 0..<60)
    func model(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let expected = TransmitStampKinds(rawValue: UInt8.random(in: 0...7, using: &random))
        var ledger = TransmitLedger(capacity: 16, expecting: expected)
        var model = Model(capacity: 16)
        var next = UInt32.max - UInt32.random(in: 0...100, using: &random)
        for time in 0..<300 as Range<Int64> {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<8:
                // Mostly by one; also gaps, steps back and jumps.
                let steps: [UInt32] = [1, 1, 1, 1, 1, 1, 2, 5, .max, 1000]
                next &+= steps.randomElement(using: &random) ?? 1
                let others = TransmitStampKinds(rawValue: UInt8.random(in: 0...7, using: &random))
                let isOrdinary = Int.random(in: 0..<4, using: &random) > 0
                ledger.recordSend(id: next, at: time, expecting: isOrdinary ? nil : others)
                model.send(next, time, isOrdinary ? expected : others)
            case 8..<18:
                let id = next &- UInt32.random(in: 0...20, using: &random)
                let stamp =
                    [
                        Self.sched(id), Self.sent(id), Self.hardware(id),
                        TransmitStamp(id: id, stage: .sent, stamps: SocketTimestamps(software: 1, hardware: 2)),
                    ].randomElement(using: &random) ?? Self.sent(id)
                _ = ledger.recordStamp(stamp)
                model.stamp(stamp)
            case 18:
                ledger.recordFullQueue()
                for index in model.sends.indices where model.isPending(model.sends[index]) {
                    model.sends[index].metFull = true
                }
            default:
                let deadline = time - Int64.random(in: 0...40, using: &random)
                let named = Self.expire(&ledger, before: deadline).map(\.id)
                #expect(named == model.expire(deadline))
            }
            let account = ledger.account
            let columns = [
                (TransmitStampKinds.sched, account.sched), (.software, account.software), (.hardware, account.hardware),
            ]
            let isSame = columns.allSatisfy { kind, counts in
                TransmitAccount.Outcome.allCases.allSatisfy { counts[$0] == model.count(kind, $0) }
                    && (counts.sequence.gaps, counts.sequence.tail) == model.absent(kind)
            }
            guard account.isBalanced, account.isConfirmedByIdentifiers, account.sent == model.sends.count,
                account.unknownStamps == model.unknown, isSame
            else {
                Issue.record("seed \(seed), step \(time): \(account)")
                return
            }
        }
    }
}
