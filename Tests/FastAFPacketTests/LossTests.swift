import FastAFPacket
import LinuxKernel
import NetworkAddresses
import Testing

/// Timestamps that are lost in the socket's buffer, which the kernel does not count.
@Suite(.needsRoot, .vethPair)
struct LossTests {
    @Test(
        "Of 1,000 undrained sends the ledger names every timestamp that the buffer lost, and its sums balance",
        arguments: StampTests.Way.all, [1, 64, 1024])
    func undrained(way: StampTests.Way, batchCapacity: Int) throws {
        // Linux's default buffer: 212,992 bytes, which hold 255 timestamps.
        let connection = try VethPair.current.listen(.left, dual: way.dual) {
            $0.receiveBufferBytes = 106_496
            $0.identifiers = way.identifiers
        }
        var ledger = TransmitLedger(capacity: 2048, expecting: connection.transmitStamps)
        for first in stride(from: 0, to: 1000, by: 50) as StrideTo<UInt32> {
            try connection.sendFrames(first..<first + 50)
            for id in first..<first + 50 { ledger.recordSend(id: id, at: 0) }
        }
        var batch = StampBatch(capacity: batchCapacity)
        var arrived: [UInt32: TransmitStampKinds] = [:]
        var wasFull = false
        while try connection.receiveTransmitStampsNow(&batch) > 0 {
            if batch.foundQueueFull { ledger.recordFullQueue() }
            wasFull = wasFull || batch.foundQueueFull
            batch.forEach { stamp in
                if case .stamped = ledger.recordStamp(stamp) { arrived[stamp.id, default: []].insert(stamp.kinds) }
            }
        }
        #expect(wasFull)
        var named: [UInt32: TransmitStampKinds] = [:]
        var skippedSends = 0
        ledger.expire(sentBefore: .max) { id, lost, skipped in
            skippedSends += skipped.isEmpty ? 0 : 1
            named[id] = lost
        }
        #expect(skippedSends == 0)
        let account = ledger.account
        #expect(account.isBalanced && account.sent == 1000 && account.unknownStamps == 0)
        #expect(account.sched[.stamped] + account.software[.stamped] == 255)
        #expect(account.sched[.lostInBuffer] + account.software[.lostInBuffer] == 2000 - 255)
        #expect(account.hardware[.unsupported] == 1000)
        // The oldest are kept, so the ids end early without gaps: an independent count of the loss.
        #expect(account.isConfirmedByIdentifiers)
        #expect(account.sched.sequence.gaps == 0 && account.software.sequence.gaps == 0)
        #expect(account.sched.sequence.tail == account.sched[.lostInBuffer])
        #expect(account.software.sequence.tail == account.software[.lostInBuffer])
        let wrong = (0..<1000 as Range<UInt32>).filter { id in
            let (came, lost) = (arrived[id, default: []], named[id, default: []])
            return came.union(lost) != [.sched, .software] || !came.isDisjoint(with: lost)
        }
        #expect(wrong.isEmpty)
    }

    @Test("Once later timestamps arrive, those lost in the buffer are gaps in the ids, even across their wrap")
    func gap() throws {
        let connection = try VethPair.current.listen(.left) { $0.receiveBufferBytes = 106_496 }
        var ledger = TransmitLedger(capacity: 2048, expecting: connection.transmitStamps)
        let ids = (0..<1000 as Range<UInt32>).map { UInt32.max - 499 &+ $0 }
        var batch = StampBatch(capacity: 64)
        func drain() throws {
            while try connection.receiveTransmitStampsNow(&batch) > 0 {
                if batch.foundQueueFull { ledger.recordFullQueue() }
                batch.forEach { _ = ledger.recordStamp($0) }
            }
        }
        for start in stride(from: 0, to: 1000, by: 50) {
            try connection.sendFrames(ids[start..<start + 50])
            for id in ids[start..<start + 50] { ledger.recordSend(id: id, at: 0) }
        }
        try drain()
        let tails = [ledger.account.sched.sequence.tail, ledger.account.software.sequence.tail]
        #expect(tails.reduce(0, +) == 2000 - 255)
        try connection.sendFrames([600])
        ledger.recordSend(id: 600, at: 0)
        try drain()
        ledger.expire(sentBefore: .max) { _, _, _ in }
        let account = ledger.account
        #expect([account.sched.sequence.gaps, account.software.sequence.gaps] == tails)
        #expect(account.sched.sequence.tail == 0 && account.software.sequence.tail == 0)
        #expect([account.sched[.lostInBuffer], account.software[.lostInBuffer]] == tails)
        #expect(account.isBalanced && account.isConfirmedByIdentifiers && account.unknownStamps == 0)
    }

    @Test("A queue that has room is not reported full, however many timestamps pass through it")
    func roomEnough() throws {
        let connection = try VethPair.current.listen(.left) { $0.receiveBufferBytes = 106_496 }
        var batch = StampBatch(capacity: 16)
        var wasFull = false
        for round in 0..<40 as Range<UInt32> {
            // 200 timestamps, drained in batches that are full each time.
            try connection.sendFrames(100 * round..<100 * round + 100)
            var received = 0
            while try connection.receiveTransmitStampsNow(&batch) > 0 {
                received += batch.count
                wasFull = batch.foundQueueFull
                #expect(!wasFull)
            }
            #expect(received == 200)
        }
    }

    @Test("A full queue is detected when timestamps carry their packets", arguments: [46, 1400])
    func carrying(payload: Int) throws {
        let connection = try VethPair.current.listen(.left) {
            $0.receiveBufferBytes = 106_496
            $0.stampsCarryPacket = true
        }
        var batch = StampBatch(capacity: 16)
        var wasFull = false
        try connection.sendFrames([0], payload: payload)
        try connection.receiveTransmitStampsNow(&batch)
        wasFull = batch.foundQueueFull
        #expect(!wasFull)
        for _ in 0..<10 { try connection.sendFrames(0..<50, payload: payload) }
        try connection.receiveTransmitStampsNow(&batch)
        wasFull = batch.foundQueueFull
        #expect(wasFull)
    }

    @Test(
        "Timestamps for which received packets left no room count as lost in the buffer, not as skipped by the driver",
        arguments: [true, false])
    func fullOfPackets(isUDP: Bool) throws {
        let pair = try VethPair.current
        var configuration = PacketConn.Configuration(dualConn: false)
        configuration.receiveBufferBytes = 16384
        let listen = { (side: VethPair.Side) throws(SystemError) in
            try pair.enter(side) { () throws(SystemError) in
                let interface = try Interface(named: VethPair.interfaceName)
                return isUDP
                    ? try PacketConn.listenUDP(
                        on: SocketAddress(.v4(0), port: 8620), interface: interface, configuration: configuration)
                    : try PacketConn.listen(on: interface, etherType: testEtherType, configuration: configuration)
            }
        }
        let (connection, peer) = (try listen(.left), try listen(.right))
        let send = { (from: PacketConn, side: VethPair.Side, id: UInt32) throws in
            let other = side == .left ? VethPair.ipv4(.right) : VethPair.ipv4(.left)
            if isUDP {
                try from.writeTo([1], destination: SocketAddress(try #require(IPAddress(other)), port: 8620), id: id)
            } else {
                try from.writeTo(frame(id, from: side), id: id)
            }
        }
        for id in 0..<200 as Range<UInt32> { try send(peer, .right, id) }
        var ledger = TransmitLedger(capacity: 64, expecting: connection.transmitStamps)
        try send(connection, .left, 1)
        ledger.recordSend(id: 1, at: 0)
        var batch = StampBatch(capacity: 64)
        #expect(try connection.receiveTransmitStampsNow(&batch) == 0)
        let wasFull = batch.foundQueueFull
        #expect(wasFull)
        if wasFull { ledger.recordFullQueue() }
        ledger.expire(sentBefore: .max) { _, _, _ in }
        #expect(ledger.account.software[.lostInBuffer] == 1 && ledger.account.sched[.lostInBuffer] == 1)
    }
}
