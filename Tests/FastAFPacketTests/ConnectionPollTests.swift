import FastAFPacket
import LinuxKernel
import Testing

/// One wait for several connections.
@Suite(.needsRoot, .vethPair)
struct ConnectionPollTests {
    private static let otherType: UInt16 = 0x88B6
    private static let longNanoseconds: Int64 = 10_000_000_000

    /// Waits until `isDone`, or a deadline ten seconds away. Timestamps and packets may come with a wait of their own.
    private func wait(
        _ poll: inout ConnectionPoll, until isDone: (borrowing ConnectionPoll) -> Bool
    ) throws -> Bool {
        let end = ClockID.monotonic.now() + Self.longNanoseconds
        while true {
            let now = ClockID.monotonic.now()
            guard now < end else { return false }
            try poll.wait(until: end, now)
            if isDone(poll) { return true }
        }
    }

    /// `#expect` cannot read a property of a value that cannot be copied.
    private func isRaised(_ poll: borrowing ConnectionPoll) -> Bool { poll.isSignalRaised }

    @Test("A wait ends at its deadline, and not before it", arguments: [true, false])
    func deadline(dual: Bool) throws {
        let connection = try VethPair.current.listen(.left, dual: dual)
        let signal = try EventSignal()
        var poll = try ConnectionPoll([connection], signal: signal)
        for _ in 0..<3 {
            let now = ClockID.monotonic.now()
            let end = now + 5_000_000
            // A signal of the process may end a wait early.
            while ClockID.monotonic.now() < end { try poll.wait(until: end, ClockID.monotonic.now()) }
            #expect(ClockID.monotonic.now() < now + 2_000_000_000)
            #expect(poll[0] == [])
            #expect(!isRaised(poll))
        }
    }

    @Test("A deadline that has passed only checks for events")
    func pastDeadline() throws {
        let pair = try VethPair.current
        let (left, right) = (try pair.listen(.left), try pair.listen(.right))
        let signal = try EventSignal()
        var poll = try ConnectionPoll([right], signal: signal)
        let start = ClockID.monotonic.now()
        for deadline in [Int64.min, 0, start] { try poll.wait(until: deadline, start) }
        #expect(ClockID.monotonic.now() - start < 1_000_000_000)
        #expect(poll[0] == [])
        try left.sendFrames([1])
        #expect(try wait(&poll) { $0[0].contains(.packets) })
        try poll.wait(until: 0, ClockID.monotonic.now())
        #expect(poll[0] == .packets, "events are found without a wait, until they are read")
        _ = try right.receiveNumbers(1)
        try poll.wait(until: 0, ClockID.monotonic.now())
        #expect(poll[0] == [])
    }

    @Test("An earlier deadline than the last one ends the wait at its time")
    func earlierDeadline() throws {
        let connection = try VethPair.current.listen(.left)
        let signal = try EventSignal()
        var poll = try ConnectionPoll([connection], signal: signal)
        signal.raise()
        var now = ClockID.monotonic.now()
        try poll.wait(until: now + Self.longNanoseconds, now)
        #expect(isRaised(poll))
        signal.clear()
        now = ClockID.monotonic.now()
        let end = now + 5_000_000
        while ClockID.monotonic.now() < end { try poll.wait(until: end, ClockID.monotonic.now()) }
        #expect(ClockID.monotonic.now() < now + 5_000_000_000, "not at the first deadline")
        #expect(!isRaised(poll))
    }

    @Test("A signal of another thread ends the wait, and stays until it is cleared")
    func signal() throws {
        let connection = try VethPair.current.listen(.left)
        let signal = SharedSignal(try EventSignal())
        let waiter = Background { () throws(SystemError) in
            var poll = try ConnectionPoll([connection], signal: signal.value)
            let now = ClockID.monotonic.now()
            try poll.wait(until: .max, now)
            let first = poll.isSignalRaised
            try poll.wait(until: 0, ClockID.monotonic.now())
            return [first, poll.isSignalRaised]
        }
        try waiter.untilBlocked()
        signal.value.raise()
        #expect(try waiter.result().get() == [true, true])
    }

    @Test("Packets are reported for the connection that has them")
    func packets() throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left, etherType: Self.otherType)
        let receivers = [try pair.listen(.right), try pair.listen(.right, etherType: Self.otherType)]
        let signal = try EventSignal()
        var poll = try ConnectionPoll(receivers, signal: signal)
        try sender.sendFrames([7], etherType: Self.otherType)
        #expect(try wait(&poll) { $0[1] == .packets })
        #expect(poll[0] == [])
        #expect(try receivers[1].receiveNumbers(1) == [7])
    }

    @Test("Timestamps end the wait only where they are awaited")
    func stamps() throws {
        let pair = try VethPair.current
        let (sender, receiver) = (try pair.listen(.left), try pair.listen(.right))
        let signal = try EventSignal()
        var poll = try ConnectionPoll([sender], signal: signal)
        poll.setAwaitsStamps(false, of: 0)
        try sender.sendFrames([3])
        // Once it has arrived, its timestamps are in the queue.
        _ = try receiver.receiveNumbers(1)
        try poll.wait(until: 0, ClockID.monotonic.now())
        #expect(poll[0] == [])
        poll.setAwaitsStamps(true, of: 0)
        #expect(try wait(&poll) { $0[0] == .stamps })
        let stamps = try sender.receiveStamps(2)
        #expect(Set(stamps.map(\.id)) == [3])
        try poll.wait(until: 0, ClockID.monotonic.now())
        #expect(poll[0] == [], "they are read")
        try sender.sendFrames([4])
        #expect(try wait(&poll) { $0[0] == .stamps }, "and awaited again")
    }

    @Test("Timestamps of a connection of one socket always end the wait")
    func stampsOfOneSocket() throws {
        let sender = try VethPair.current.listen(.left, dual: false)
        let signal = try EventSignal()
        var poll = try ConnectionPoll([sender], signal: signal)
        poll.setAwaitsStamps(false, of: 0)
        try sender.sendFrames([3])
        #expect(try wait(&poll) { $0[0].contains(.stamps) })
    }

    private final class SharedSignal: Sendable {
        let value: EventSignal
        init(_ value: consuming EventSignal) { self.value = value }
    }
}
