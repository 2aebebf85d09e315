import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000

/// A session-sender, its host, its clocks and its peer, all moved by the test.
final class SenderBench {
    let host = RecordingHost()
    var session: SessionSender
    var peer = ScriptedPeer()
    /// CLOCK_MONOTONIC in nanoseconds.
    private(set) var now: Int64
    /// CLOCK_REALTIME minus CLOCK_MONOTONIC.
    private var realtimeOffset: Int64 = 1_795_000_000 * second
    var clockSteps: UInt32 = 0
    var estimate = ErrorEstimate(synchronized: true, isPTP: false, errorNanoseconds: 2000)
    /// True if the driver's timestamp of a probe arrives at once. It is 1 µs after T1.
    var stampsDriver = false
    /// The time after which transmit timestamps are written off, in nanoseconds.
    var stampTimeout: Int64 = 60 * millisecond

    static let start: Int64 = 1000 * second
    static let interval: Int64 = 10 * millisecond
    static let timeout: Int64 = 100 * millisecond

    /// Creates a session with an interval of 10 ms and a timeout of 100 ms.
    init(
        expecting stamps: StampKinds = [], _ kind: ScriptedPeer.Kind = .paired,
        _ configure: (inout SessionSender.Configuration) -> Void = { _ in }
    ) {
        var configuration = SessionSender.Configuration(
            session: 0xA11CE, ssid: 77, peer: .ip(.v4(0x0A00_0002)), peerPort: 862, layout: Self.layout,
            frameBytes: 400, intervalNanoseconds: Self.interval, timeoutNanoseconds: Self.timeout,
            host: HostIdentity(bootHash: 0x1111))
        configuration.expectedStamps = stamps
        configure(&configuration)
        now = Self.start
        peer.kind = kind
        session = SessionSender(
            configuration, host: host,
            at: HostTime(monotonic: now, realtime: now + realtimeOffset, errorEstimate: estimate))
    }

    static let layout: ProbeLayout = {
        do { return try ProbeLayout(size: nil, classOfService: true) } catch { preconditionFailure("\(error)") }
    }()

    // The macros of Testing cannot capture a session.
    var phase: SessionSender.Phase { session.phase }
    var deadline: Int64 { session.deadline }
    var nextSend: Int64 { session.nextSend }
    var result: SenderResult { session.result }
    var totals: SessionTotals { session.result.totals }
    var capacity: Int { session.slots.capacity }
    var pendingStamps: Int { session.pendingStamps }
    var isPeerSilent: Bool { session.isPeerSilent }
    func sequence(ofBits bits: UInt32, width: UInt32) -> UInt32 { session.sequence(ofBits: bits, width: width) }
    func isProbeDue(at time: Int64) -> Bool { session.isProbeDue(at: time) }

    var realtime: Int64 { now + realtimeOffset }
    var time: HostTime {
        HostTime(monotonic: now, realtime: realtime, errorEstimate: estimate, clockSteps: clockSteps)
    }

    /// Moves the clocks.
    func move(by nanoseconds: Int64) { now += nanoseconds }
    func move(to time: Int64) { now = max(now, time) }

    /// Sets this host's CLOCK_REALTIME, and records the step.
    func stepClock(by amount: Int64) {
        realtimeOffset += amount
        peer.offset -= amount
        clockSteps += 1
        session.recordLocalStep(amount: amount, error: 500, at: time)
    }

    func advance() { session.advance(to: time, stampsBefore: now - stampTimeout) }

    /// Moves the clocks, and does what is due then apart from sending.
    func wait(_ nanoseconds: Int64) {
        move(by: nanoseconds)
        advance()
    }

    /// Writes the next probe at its deadline, or now if that has passed.
    func write() -> SentProbe? {
        move(to: session.nextSend)
        advance()
        return writeNow()
    }

    /// Writes a probe now, without an advance before it.
    func writeNow(room: Int = SenderBench.layout.size) -> SentProbe? {
        var bytes = [UInt8](repeating: 0xEE, count: room)
        guard let sequence = write(into: &bytes) else { return nil }
        return SentProbe(sequence: sequence, bytes: bytes, sentAt: now)
    }

    private func write(into bytes: inout [UInt8]) -> UInt32? {
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        return session.writeProbe(into: &span, at: time)
    }

    /// Sends the next probe.
    @discardableResult
    func send(sourceLocation: SourceLocation = #_sourceLocation) throws -> SentProbe {
        let probe = try #require(write(), "no probe is due", sourceLocation: sourceLocation)
        session.recordSent(probe.sequence, at: now)
        if stampsDriver {
            session.record(StampReport(kinds: .software, software: realtime + 1000), of: probe.sequence, at: time)
        }
        return probe
    }

    /// Sends several probes that are never answered.
    @discardableResult
    func send(_ count: Int) throws -> [SentProbe] { try (0..<count).map { _ in try send() } }

    /// Lets the kernel refuse the next probe.
    @discardableResult
    func refuse(code: Int32 = 1) throws -> SentProbe {
        let probe = try #require(write(), "no probe is due")
        session.recordRefusal(probe.sequence, code: code, at: time)
        return probe
    }

    /// The reply of the peer, which receives the probe after its forward delay.
    func answer(_ probe: SentProbe) -> ScriptedReply {
        peer.answer(probe, at: probe.sentAt + realtimeOffset + peer.forward)
    }

    func arrival(_ software: Int64? = nil) -> Arrival {
        Arrival(
            times: ReceiveTimes(software: software ?? realtime - 2000, app: realtime), bytes: 390, hopLimit: 58,
            dscp: 10)
    }

    func receive(_ reply: ScriptedReply) { receive(reply.bytes) }
    func receive(_ bytes: [UInt8]) { session.receive(bytes.span.bytes, arrival(), at: time) }

    /// Sends the next probe, and receives the reply to it.
    @discardableResult
    func exchange(sourceLocation: SourceLocation = #_sourceLocation) throws -> SentProbe {
        let probe = try send(sourceLocation: sourceLocation)
        let reply = answer(probe)
        move(by: peer.forward + peer.residence + peer.reverse)
        receive(reply)
        return probe
    }

    func exchange(_ count: Int) throws { for _ in 0..<count { try exchange() } }

    /// Exchanges an opening probe, number 0, and begins the measurement with probe 1 in 1 ms.
    func open(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try exchange(sourceLocation: sourceLocation)
        advance()
        #expect(phase == .measuring, sourceLocation: sourceLocation)
    }

    /// Records a transmit timestamp: of the driver and the NIC it is the current time, and SCHED is 1 µs earlier.
    func stamp(_ sequence: UInt32, _ kinds: StampKinds) {
        let report = StampReport(
            kinds: kinds, software: kinds == .sched ? realtime - 1000 : realtime,
            hardware: kinds.contains(.hardware)
                ? HardwareStamp(time: now, realtime: realtime, error: 50) : .none)
        session.record(report, of: sequence, at: time)
    }

    @discardableResult
    func finish() -> SenderResult { session.finish(at: time) }
}
