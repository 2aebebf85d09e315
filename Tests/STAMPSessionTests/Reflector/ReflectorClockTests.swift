import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct ReflectorClockTests {
    private let bench = ReflectorBench { $0.reportsClock = true }
    private var sender = ScriptedSender(instance: 5)

    /// Answers a probe that reports the one before it and the receipt of its reply.
    private mutating func exchange() throws {
        let last = sender.next &- 1
        try bench.answer(
            &sender,
            transmit: sender.next == 0 ? [] : [probeStamps(last, at: bench.realtime - 10 * millisecond - 100_000)],
            receive: sender.next == 0 ? [] : [replyReceipt(last, at: bench.realtime - 9 * millisecond)])
        bench.move(by: 10 * millisecond)
    }

    private func epochs(_ sequence: UInt32) -> [UInt16?] {
        (bench.host.rows(.probe, sequence) + bench.host.rows(.reply, sequence)).map(\.clockEpoch)
    }

    @Test mutating func `A local step is listed and reported, and rows from before it have no clock epoch`() throws {
        for _ in 0..<3 { try exchange() }
        bench.stepClock(by: second)
        #expect(bench.result.clockSteps.listed.map(\.amount) == [second])
        #expect(bench.result.clockSteps.listed.map(\.epoch) == [1])
        #expect(bench.result.clockSteps.listed.map(\.side) == [.local])
        #expect(bench.result.clockSteps.listed.first?.noticed == bench.realtime)
        #expect(bench.host.noticeNames == ["clockSet"])
        bench.session.recordEmptyQueue()
        for _ in 0..<3 { try exchange() }
        #expect(epochs(1) == [0, 0])
        #expect(epochs(2) == [nil, nil])
        #expect(epochs(3) == [1, 1])
        #expect(bench.host.row(.probe, 2)?.delay == nil && bench.host.row(.probe, 3)?.delay != nil)
    }

    @Test mutating func `Probes that waited in the socket during a step have no clock epoch`() throws {
        try exchange()
        bench.stepClock(by: second)
        try exchange()
        bench.session.recordEmptyQueue()
        for _ in 0..<2 { try exchange() }
        #expect(epochs(1) == [nil, nil])
        #expect(epochs(2) == [1, 1])
    }

    @Test mutating func `A reply has the count of local steps`() throws {
        bench.clockSteps = 258
        #expect(try bench.answer(&sender).telemetry.paired?.clockSteps == 2)
    }

    @Test mutating func `A reflector beside a session-sender does not report steps, and counts them for its rows`()
        throws
    {
        let bench = ReflectorBench()
        try bench.answer(&sender)
        bench.stepClock(by: second)
        bench.session.recordEmptyQueue()
        try bench.answer(&sender)
        try bench.answer(
            &sender, transmit: [probeStamps(1, at: bench.realtime), probeStamps(0, at: bench.realtime)])
        #expect(bench.result.clockSteps.count == 0 && bench.host.notices.isEmpty)
        #expect(bench.host.rows.map(\.clockEpoch) == [1, nil])
    }

    @Test mutating func `A step of the sender's clock begins a clock epoch`() throws {
        for _ in 0..<3 { try exchange() }
        sender.clockSteps = 1
        for _ in 0..<3 { try exchange() }
        #expect(epochs(1) == [0, 0])
        #expect(epochs(2) == [nil, nil])
        #expect(epochs(3) == [1, 1])
        #expect(bench.result.clockSteps.count == 0, "the sender reports them")
    }

    @Test mutating func `A sender on another kernel than before had its clock set`() throws {
        for _ in 0..<3 { try exchange() }
        sender.bootHash += 1
        for _ in 0..<3 { try exchange() }
        #expect(epochs(3) == [1, 1])
    }

    @Test mutating func `Clock epochs are counted from the first measured probe`() throws {
        sender.isClosing = true
        try exchange()
        sender.clockSteps = 1
        try exchange()
        sender.isClosing = false
        for _ in 0..<2 { try exchange() }
        #expect(epochs(2) == [0, 0])
        sender.clockSteps = 2
        for _ in 0..<2 { try exchange() }
        #expect(epochs(4) == [1, 1])
    }

    @Test mutating func `On one clock, delays have an error of a nanosecond, until one is impossible`() throws {
        sender.bootHash = 0x2222
        try exchange()
        try exchange()
        #expect(bench.host.row(.probe, 0)?.delayError == 1)
        try bench.answer(&sender, transmit: [probeStamps(1, at: bench.realtime + second)])
        #expect(bench.host.row(.probe, 1)?.delayError == nil)
        #expect(bench.host.row(.probe, 1)?.delay ?? 0 < 0)
    }

    @Test mutating func `A step of the sender's clock alone is proof of two clocks`() throws {
        sender.bootHash = 0x2222
        for _ in 0..<3 { try exchange() }
        #expect(bench.host.row(.probe, 1)?.delayError == 1)
        sender.clockSteps = 1
        for _ in 0..<3 { try exchange() }
        #expect(bench.host.row(.probe, 3)?.delayError == nil)
    }

    @Test mutating func `A session that opens after a step begins with clock epoch 0`() throws {
        bench.stepClock(by: second)
        bench.session.recordEmptyQueue()
        for _ in 0..<2 { try exchange() }
        #expect(epochs(0) == [0, 0])
    }

    @Test mutating func `With hardware timestamps only, rows name the missing ones`() throws {
        let bench = ReflectorBench { $0.usesHardwareOnly = true }
        try bench.answer(&sender)
        try bench.answer(
            &sender, transmit: [probeStamps(0, at: bench.realtime)], receive: [replyReceipt(0, at: bench.realtime)])
        #expect(bench.host.row(.probe, 0)?.transmitMissing == .unsupported)
        #expect(bench.host.row(.reply, 0)?.receiveMissing == .unsupported)
        #expect(bench.host.rows.allSatisfy { $0.delay == nil })
    }
}
