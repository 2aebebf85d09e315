import NetworkAddresses
import Testing

@testable import STAMPSession

private func key(_ number: Int) -> SessionKey {
    SessionKey(source: .v4(0x0A00_0000 + UInt32(number)), sourcePort: 50_000, destination: .v4(0x0A00_0001), ssid: 1)
}

private func session(_ number: Int, at now: Int64 = 0) -> ReflectedSession {
    ReflectedSession(key(number), identifier: UInt64(number), now: now, bootHash: 0)
}

@Suite struct ReflectedSessionTests {
    private var reflected = session(0)

    @Test mutating func `Probes in order are in order, even with gaps`() {
        for sequence in [UInt32(0), 1, 2, 5, 69, 70, 500, 501] {
            #expect(reflected.record(probe: sequence) == .inOrder)
        }
    }

    @Test mutating func `A session may begin with any sequence number`() {
        #expect(reflected.record(probe: 4_000_000_000) == .inOrder)
        #expect(reflected.record(probe: 4_000_000_000) == .duplicate)
    }

    @Test mutating func `A probe after a later one is reordered the first time and a duplicate the second time`() {
        #expect(reflected.record(probe: 0) == .inOrder)
        #expect(reflected.record(probe: 3) == .inOrder)
        #expect(reflected.record(probe: 1) == .reordered)
        #expect(reflected.record(probe: 1) == .duplicate)
        #expect(reflected.record(probe: 2) == .reordered)
        #expect(reflected.record(probe: 0) == .duplicate)
        #expect(reflected.record(probe: 4) == .inOrder)
    }

    @Test mutating func `For each of the 63 probes before the newest, reordered and duplicate are distinguished`() {
        for sequence in stride(from: UInt32(0), through: 126, by: 2) {
            #expect(reflected.record(probe: sequence) == .inOrder)
        }
        for sequence in UInt32(63)...126 {
            #expect(reflected.record(probe: sequence) == (sequence % 2 == 0 ? .duplicate : .reordered), "\(sequence)")
        }
    }

    @Test mutating func `A probe older than the window is reordered, even if it is a duplicate`() {
        _ = reflected.record(probe: 0)
        _ = reflected.record(probe: 64)
        #expect(reflected.record(probe: 0) == .reordered)
        #expect(reflected.record(probe: 1) == .reordered)
        #expect(reflected.record(probe: 1) == .duplicate)
    }

    @Test(arguments: [UInt32(63), 64, 65, 1024])
    mutating func `A gap in the sequence drops only the probes behind the window`(_ leap: UInt32) {
        _ = reflected.record(probe: 0)
        #expect(reflected.record(probe: leap) == .inOrder)
        #expect(reflected.record(probe: leap) == .duplicate)
        #expect(reflected.record(probe: leap - 1) == .reordered)
        #expect(reflected.record(probe: 0) == (leap < 64 ? .duplicate : .reordered))
    }

    @Test mutating func `Sequence numbers wrap at 2^32`() {
        for step in UInt32(0)..<10 { #expect(reflected.record(probe: UInt32.max - 4 &+ step) == .inOrder) }
        #expect(reflected.record(probe: .max) == .duplicate)
        #expect(reflected.record(probe: .max - 10) == .reordered)
        #expect(reflected.record(probe: 0) == .duplicate)
    }

    @Test mutating func `A sender that restarts its sequence is in order again at once`() {
        _ = reflected.record(probe: 5000)
        #expect(reflected.record(probe: 5000 - 1024) == .reordered)
        #expect(reflected.record(probe: 0) == .inOrder)
        #expect(reflected.record(probe: 1) == .inOrder)
        #expect(reflected.record(probe: 1) == .duplicate)
    }

    @Test mutating func `A probe half the sequence space ahead is in order, and so is the next one`() {
        _ = reflected.record(probe: 0)
        #expect(reflected.record(probe: 1 << 31) == .inOrder)
        #expect(reflected.record(probe: 1) == .inOrder)
    }
}

@Suite struct SessionTableTests {
    private var table = SessionTable()

    private mutating func open(_ session: ReflectedSession) throws -> Int {
        let index = table.open(session)
        return try #require(index)
    }

    @Test mutating func `A session is found by its key, and by no other`() throws {
        let first = try open(session(1))
        let second = try open(session(2))
        #expect(first != second)
        #expect(table.index(of: key(1)) == first)
        #expect(table.index(of: key(2)) == second)
        #expect(table.index(of: key(1)) == first, "after a lookup of another one")
        #expect(table.index(of: key(3)) == nil)
        var other = key(1)
        other.ssid = 2
        #expect(table.index(of: other) == nil)
        other = key(1)
        other.destination = .v4(1)
        #expect(table.index(of: other) == nil)
    }

    @Test mutating func `It holds 4096 sessions, rejects the next one, and keeps the existing ones`() {
        #expect(SessionTable.capacity == 4096)
        for number in 0..<4096 { #expect(table.open(session(number)) != nil) }
        #expect(table.open(session(9999)) == nil)
        #expect(table.index(of: key(9999)) == nil)
        #expect(table.count == 4096)
        let indices = Set((0..<4096).compactMap { table.index(of: key($0)) })
        #expect(indices.count == 4096)
    }

    @Test mutating func `An idle session expires, and a session in use keeps its state`() throws {
        _ = table.open(session(1, at: 100))
        let used = try open(session(2, at: 100))
        for _ in 0..<7 { table[used].replies.append(ReplySlot()) }
        table[used].lastUsed = 500
        table.expire(SessionTable.expiryNanoseconds + 500)
        #expect(table.count == 1)
        #expect(table.index(of: key(1)) == nil)
        #expect(table.index(of: key(2)) == used)
        #expect(table[used].nextReply == 7)
    }

    @Test mutating func `The session of the last lookup expires too`() {
        _ = table.open(session(1, at: 0))
        _ = table.index(of: key(1))
        table.expire(SessionTable.expiryNanoseconds + 1)
        #expect(table.index(of: key(1)) == nil)
    }

    @Test mutating func `A full table has room after sessions expire, and new sessions start from zero`() throws {
        for number in 0..<4096 { _ = table.open(session(number, at: Int64(number))) }
        table.expire(SessionTable.expiryNanoseconds + 96)
        #expect(table.count == 4000)
        for number in 5000..<5096 {
            let index = try open(session(number, at: 10_000))
            #expect(table[index].identifier == UInt64(number))
            #expect(table[index].nextReply == 0)
            #expect(table[index].newestProbe == nil)
        }
        #expect(table.open(session(6000)) == nil)
        #expect(table.index(of: key(5000)) != nil)
        #expect(table.index(of: key(0)) == nil)
    }

    @Test mutating func `A slow sender's session lasts for four of its intervals`() throws {
        let slow = try open(session(1, at: 0))
        table[slow].probeIntervalNanoseconds = 100_000_000_000
        table.expire(400_000_000_000)
        #expect(table.index(of: key(1)) == slow)
        table.expire(400_000_000_001)
        #expect(table.index(of: key(1)) == nil)
    }

    @Test mutating func `Expiring a session twice frees one place`() {
        _ = table.open(session(1, at: 0))
        table.expire(SessionTable.expiryNanoseconds + 1)
        table.expire(SessionTable.expiryNanoseconds + 1)
        #expect(table.count == 0)
        let indices = Set((0..<4096).compactMap { table.open(session($0)) })
        #expect(indices.count == 4096)
    }
}
