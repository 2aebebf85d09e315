import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct IsolationTests {
    /// The slots of a session.
    private func slots(_ bench: ReflectorBench, _ place: Int) -> Int { bench.session.table[place].replies.capacity }

    @Test func `A session with 40,000 unfinished replies takes its share, and delays no other`() throws {
        let bench = ReflectorBench(expecting: .software)
        bench.stampTimeout = 3600 * second
        var honest = ScriptedSender(0, instance: 1)
        var hostile = ScriptedSender(1, instance: 2)
        var honestRows = 0
        for round in UInt32(0)..<40_000 {
            if round % 1000 == 0 {
                let number = round / 1000
                let written = try bench.answer(
                    &honest, transmit: number == 0 ? [] : [probeStamps(number - 1, at: bench.realtime)],
                    receive: number == 0 ? [] : [replyReceipt(number - 1, at: bench.realtime)])
                #expect(written.packet.sequence == number)
                #expect(written.telemetry.paired?.transmit0?.sequence == (number == 0 ? nil : number - 1))
                bench.stamp(written.answer)
                honestRows += number == 0 ? 0 : 2
                #expect(bench.host.rows.count { $0.session == 1 } == honestRows)
            }
            try bench.answer(&hostile)
            bench.move(by: 1000)
        }
        #expect(slots(bench, 1) == SessionTable.slotLimit)
        // Forty replies wait, which half of the slots have to hold.
        #expect(slots(bench, 0) == 2 * SessionTable.guaranteedSlots)
        // The hostile session's oldest replies were finished early, each with two rows.
        #expect(bench.host.rows.count { $0.session == 2 } == 2 * (40_000 - SessionTable.slotLimit))
        #expect(
            bench.host.rows.filter { $0.session == 2 && $0.packet == .reply }.allSatisfy {
                $0.transmitMissing == .late && $0.status == .unknown
            })
        let result = bench.finish()
        #expect(result.ledger.isBalanced)
        #expect(result.ledger.kinds[1].skippedByDriver == 40_000 - SessionTable.slotLimit)
        #expect(result.ledger.kinds[1].pending == SessionTable.slotLimit)
        #expect(bench.host.rows.count { $0.session == 1 } == 80)
        #expect(bench.host.rows.count { $0.session == 2 } == 80_000)
    }

    /// A table with sessions that take all the slots that they get, in their order.
    private func greedyTable(_ count: Int, at now: Int64 = 0) -> SessionTable {
        var table = SessionTable()
        takeAll(&table, count, at: now)
        return table
    }

    private func takeAll(_ table: inout SessionTable, _ count: Int, at now: Int64) {
        for number in 0..<count {
            let session = ReflectedSession(
                ScriptedSender(number).key, identifier: 0, now: now, bootHash: 0, firstID: table.nextID)
            guard let place = table.open(session) else {
                Issue.record("the table is full")
                return
            }
            while table.enlarge(place) {}
        }
    }

    @Test func `Hostile sessions share the pool, and every session gets its guaranteed slots`() {
        let shares = greedyTable(4096).sessions.map(\.replies.capacity)
        // The third leaves 32,960 slots, of which the fourth gets no more than half.
        #expect(shares.prefix(6) == [32_768, 32_768, 32_768, 16_384, 8192, 4096])
        #expect(shares.map { $0 - SessionTable.guaranteedSlots }.reduce(0, +) <= SessionTable.poolLimit)
        #expect(shares.allSatisfy { $0 >= SessionTable.guaranteedSlots })
        #expect(shares.last == SessionTable.guaranteedSlots)
    }

    @Test func `A session that closes releases its slots`() {
        var table = greedyTable(5)
        let shares = table.sessions.map(\.replies.capacity)
        for round in 1...3 as ClosedRange<Int64> {
            table.expire(round * 100 * second)
            #expect(table.count == 0 && table.sessions.allSatisfy { $0.replies.capacity == 1 })
            takeAll(&table, 5, at: round * 100 * second)
            #expect(table.sessions.map(\.replies.capacity).sorted() == shares.sorted())
        }
    }

    @Test func `The slots of a session grow when replies wait, and its replies keep their IDs`() throws {
        let bench = ReflectorBench(expecting: .software)
        bench.stampTimeout = 3600 * second
        var sender = ScriptedSender(0, instance: 3)
        var answers: [SessionReflector.Answer] = []
        for _ in 0..<1000 { answers.append(try bench.answer(&sender).answer) }
        // Half of the slots are for those that are finished.
        #expect(slots(bench, 0) == 2048)
        for answer in answers.reversed() {
            bench.move(by: 10)
            bench.stamp(answer)
        }
        let last = bench.realtime
        let result = bench.finish()
        #expect(result.ledger.kinds[1].stamped == 1000 && result.unknownStamps == 0)
        for sequence in UInt32(0)..<1000 {
            let row = try #require(bench.host.row(.reply, sequence))
            #expect(row.transmitSoftware == last - 10 * Int64(sequence) && row.replySequence == sequence)
        }
    }

    @Test func `A session whose replies are finished keeps its 64 slots`() throws {
        let bench = ReflectorBench()
        var sender = ScriptedSender(0)
        for _ in 0..<5000 {
            try bench.answer(&sender)
            bench.advance()
        }
        #expect(slots(bench, 0) == SessionTable.guaranteedSlots)
        #expect(bench.host.rows.count == 10_000)
    }
}

@Suite struct LateReportTests {
    @Test(arguments: [10, 125, 1000]) func `Timestamps that are written off late are still reported, twice`(
        _ distance: UInt32
    ) throws {
        let bench = ReflectorBench(expecting: [.software, .hardware], writesRows: false) {
            $0.timeoutNanoseconds = 2 * second
        }
        bench.stampTimeout = Int64(distance) * millisecond
        var sender = ScriptedSender(0, instance: 1)
        var reports = 0
        for number in 0..<distance + 20 {
            let written = try bench.answer(&sender)
            let paired = written.telemetry.paired
            for stamps in [paired?.transmit0, paired?.transmit1] where stamps?.sequence == 0 { reports += 1 }
            // The first reply's NIC timestamp never comes.
            bench.stamp(written.answer, number == 0 ? .software : [.software, .hardware])
            bench.move(by: millisecond)
            bench.advance()
        }
        #expect(reports == 2)
    }
}

@Suite struct ExpiryTests {
    @Test func `An idle session expires after a minute, and writes its rows first`() throws {
        let bench = ReflectorBench { $0.timeoutNanoseconds = 3600 * second }
        var sender = ScriptedSender(0, instance: 5)
        try bench.answer(&sender)
        bench.wait(60 * second)
        #expect(bench.openSessions == 1 && bench.host.rows.isEmpty)
        bench.wait(second)
        #expect(bench.openSessions == 0)
        #expect(bench.host.rows.count == 2)
        #expect(try bench.answer(&sender).packet.sequence == 0)
        #expect(bench.result.sessionsOpened == 2)
    }

    @Test func `A slow sender's session lasts for four of its intervals`() throws {
        let bench = ReflectorBench()
        var sender = ScriptedSender(0)
        try bench.answer(&sender)
        bench.wait(30 * second)
        try bench.answer(&sender)
        bench.wait(120 * second)
        #expect(bench.openSessions == 1)
        bench.wait(second)
        #expect(bench.openSessions == 0)
    }

    @Test func `A reused place counts its IDs on, so that a late timestamp finds no reply of another session`() throws {
        let bench = ReflectorBench(expecting: .software)
        var former = ScriptedSender(0, instance: 5)
        var late: [SessionReflector.Answer] = []
        for _ in 0..<5 { late.append(try bench.answer(&former).answer) }
        bench.wait(61 * second)
        #expect(bench.openSessions == 0)
        var next = ScriptedSender(1, instance: 6)
        let written = try bench.answer(&next)
        #expect(written.answer.place == late[0].place)
        #expect(written.answer.id == 5 && written.packet.sequence == 0)
        for answer in late { bench.stamp(answer, width: 16) }
        let reply = try bench.answer(&next)
        #expect(reply.telemetry.paired?.transmit0 == nil)
        bench.stamp(written.answer, width: 16)
        let result = bench.finish()
        #expect(result.unknownStamps == 5)
        #expect(result.ledger.isBalanced && result.ledger.kinds[1].stamped == 1)
        #expect(result.ledger.kinds[1].skippedByDriver == 5)
    }

    @Test func `The receipts of a session in a reused place are of its own replies`() throws {
        let bench = ReflectorBench()
        var former = ScriptedSender(0, instance: 5)
        for _ in 0..<5 { try bench.answer(&former) }
        bench.wait(61 * second)
        bench.host.clear()
        var next = ScriptedSender(1, instance: 6)
        try bench.answer(&next)
        try bench.answer(
            &next, transmit: [probeStamps(0, at: bench.realtime)], receive: [replyReceipt(0, at: bench.realtime)])
        #expect(bench.host.rows.map(\.sequence) == [0, 0])
        #expect(bench.host.rows.map(\.replySequence) == [0, 0])
        #expect(bench.host.rows.map(\.session) == [6, 6])
    }
}

@Suite struct OtherSenderTests {
    @Test func `Another paired sender on the same port leaves the rows of the former one under its ID`() throws {
        let bench = ReflectorBench(expecting: .software)
        var former = ScriptedSender(0, instance: 100)
        let first = try bench.answer(&former).answer
        try bench.answer(&former)
        bench.stamp(first)
        var next = ScriptedSender(0, instance: 101)
        next.key = former.key
        try bench.answer(&next)
        #expect(bench.host.rows.map(\.session) == [100, 100, 100, 100])
        #expect(Set(bench.host.rows.map(\.sequence)) == [0, 1])
        try bench.answer(
            &next, transmit: [probeStamps(0, at: bench.realtime)], receive: [replyReceipt(2, at: bench.realtime)])
        bench.finish()
        #expect(bench.host.rows.count == 8)
        #expect(bench.host.rows.dropFirst(4).allSatisfy { $0.session == 101 })
        #expect(bench.result.sessionsOpened == 1)
    }

    @Test func `Probes, reports and clock epochs of another paired sender are not those of the former one`() throws {
        let bench = ReflectorBench(expecting: .software)
        var sender = ScriptedSender(0, instance: 100)
        var answers: [SessionReflector.Answer] = []
        for _ in 0..<10 { answers.append(try bench.answer(&sender).answer) }
        for answer in answers.prefix(5) { bench.stamp(answer) }
        sender.clockSteps = 1
        try bench.answer(&sender)
        bench.host.clear()
        sender.instance = 101
        sender.next = 0
        sender.isClosing = true
        try bench.answer(&sender)
        for answer in answers.dropFirst(5) { bench.stamp(answer) }
        bench.move(by: 300 * millisecond)
        #expect(bench.isServing(), "it opens")
        sender.isClosing = false
        let second = try bench.answer(&sender)
        #expect(second.telemetry.paired?.transmit0 == nil)
        #expect(second.telemetry.followUp?.isAbsent == true)
        #expect(second.telemetry.paired?.receive1?.sequence == 0, "its opening probe")
        bench.stamp(second.answer)
        let third = try bench.answer(&sender)
        #expect(third.telemetry.paired?.transmit0?.sequence == second.packet.sequence)
        #expect(third.telemetry.paired?.transmit1 == nil)
        bench.finish()
        #expect(bench.result.duplicates == 0)
        let rows = bench.host.rows.filter { $0.session == 101 && $0.packet == .probe }
        #expect(rows.map(\.sequence) == [1, 2])
        #expect(rows.map(\.status) == [.ok, .ok])
        #expect(rows.map(\.clockEpoch) == [0, 0])
    }

    @Test func `A sender that restarts with another instance counts its clock steps anew`() throws {
        let bench = ReflectorBench()
        var sender = ScriptedSender(0, instance: 100)
        sender.clockSteps = 3
        try bench.answer(&sender)
        sender.instance = 101
        sender.clockSteps = 9
        sender.next = 0
        try bench.answer(&sender)
        try bench.answer(&sender, transmit: [probeStamps(0, at: bench.realtime)])
        #expect(bench.host.rows.last?.session == 101 && bench.host.rows.last?.clockEpoch == 0)
    }
}
