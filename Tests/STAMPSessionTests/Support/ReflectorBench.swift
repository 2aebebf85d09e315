import NetworkAddresses
import Report
import STAMPWire
import Testing

@testable import STAMPSession

/// A session-sender whose every probe the test decides.
struct ScriptedSender {
    var key: SessionKey
    /// The paired sender's instance; nil for a standard STAMP sender.
    var instance: UInt64?
    var bootHash: UInt64 = 0x1111
    var clockSteps: UInt8 = 0
    var isClosing = false
    var estimate = ErrorEstimate(synchronized: true, isPTP: false, errorNanoseconds: 4000)
    /// The next probe's sequence number.
    var next: UInt32 = 0
    /// The sender's CLOCK_REALTIME minus the reflector's, in nanoseconds.
    var offset: Int64 = 0

    init(_ number: Int = 0, port: UInt16 = 50_000, ssid: UInt16 = 77, instance: UInt64? = nil) {
        key = SessionKey(
            source: .v4(0x0A00_0100 + UInt32(number)), sourcePort: port, destination: .v4(0x0A00_0001), ssid: ssid)
        self.instance = instance
    }

    /// Returns the next probe.
    ///
    /// - Parameter time: T1, in the reflector's CLOCK_REALTIME nanoseconds.
    mutating func probe(
        at time: Int64, transmit: [TransmitStamps] = [], receive: [ReceiveStamps] = [], dscp: UInt8 = 0
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: instance == nil ? STAMP.baseLength : SenderBench.layout.size)
        let packet = SenderPacket(
            sequence: next, timestampNanoseconds: time + offset, errorEstimate: estimate, ssid: key.ssid)
        next &+= 1
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        if let instance {
            SenderBench.layout.writeFixedParts(into: &span, requestedDSCP: dscp)
            _ = PairedTimestamps(
                isClosing: isClosing, instance: instance, bootHash: bootHash, clockSteps: clockSteps,
                transmit0: transmit.first, transmit1: transmit.dropFirst().first, receive0: receive.first,
                receive1: receive.dropFirst().first
            ).write(into: &span, at: SenderBench.layout.pairedTimestampsOffset)
        }
        _ = packet.write(into: &span)
        return bytes
    }
}

/// A reply as the reflector wrote it.
struct Answered {
    var answer: SessionReflector.Answer
    var bytes: [UInt8]

    var packet: ReflectorPacket { ReflectorPacket(decoding: bytes.span.bytes)! }
    var telemetry: ReplyTelemetry { ReplyTelemetry(bytes.span.bytes) }
}

/// A session-reflector, its host and its clocks, all moved by the test.
final class ReflectorBench {
    let host = RecordingHost()
    var session: SessionReflector
    /// CLOCK_MONOTONIC in nanoseconds.
    private(set) var now: Int64 = 1000 * second
    private var realtimeOffset: Int64 = 1_795_000_000 * second
    var clockSteps: UInt32 = 0
    var estimate = ErrorEstimate(synchronized: true, isPTP: false, errorNanoseconds: 2000)
    /// The time after which transmit timestamps are written off, in nanoseconds.
    var stampTimeout: Int64 = 60 * millisecond

    static let timeout: Int64 = 100 * millisecond
    static let port: UInt16 = 862

    init(
        expecting stamps: StampKinds = [], writesRows: Bool = true,
        _ configure: (inout SessionReflector.Configuration) -> Void = { _ in }
    ) {
        var configuration = SessionReflector.Configuration(
            instance: 0xB0B, host: HostIdentity(bootHash: 0x2222, hardwareClock: 4), port: Self.port)
        configuration.expectedStamps = stamps
        configuration.writesRows = writesRows
        configuration.timeoutNanoseconds = Self.timeout
        configure(&configuration)
        session = SessionReflector(
            configuration, host: host,
            at: HostTime(monotonic: now, realtime: now + realtimeOffset, errorEstimate: estimate))
    }

    // The macros of Testing cannot capture a reflector.
    var result: ReflectorResult { session.result }
    var deadline: Int64 { session.deadline }
    var pendingStamps: Int { session.pendingStamps }
    var openSessions: Int { session.table.count }
    func isServing() -> Bool { session.isServing(at: time) }

    var realtime: Int64 { now + realtimeOffset }
    var time: HostTime {
        HostTime(monotonic: now, realtime: realtime, errorEstimate: estimate, clockSteps: clockSteps)
    }

    func move(by nanoseconds: Int64) { now += nanoseconds }
    func move(to time: Int64) { now = max(now, time) }
    func advance() { session.advance(to: time, stampsBefore: now - stampTimeout) }

    /// Moves the clocks, and does what is due then.
    func wait(_ nanoseconds: Int64) {
        move(by: nanoseconds)
        advance()
    }

    /// Sets this host's CLOCK_REALTIME, and records the step.
    func stepClock(by amount: Int64) {
        realtimeOffset += amount
        clockSteps += 1
        session.recordLocalStep(amount: amount, error: 500, at: time)
    }

    /// The arrival of a packet whose kernel receive timestamp is `age` old.
    func arrival(age: Int64 = 5000, nic: HardwareStamp = .none) -> Arrival {
        Arrival(
            times: ReceiveTimes(nic: nic, software: realtime - age, app: realtime - 1000), bytes: 400, hopLimit: 61,
            dscp: 10, ecn: 1)
    }

    /// Answers a payload, without sending the reply.
    func write(_ payload: [UInt8], from key: SessionKey, _ arrival: Arrival? = nil, room: Int? = nil) -> Answered? {
        var bytes = [UInt8](repeating: 0xEE, count: room ?? max(payload.count, STAMP.baseLength))
        guard let answer = write(payload, key, arrival ?? self.arrival(), into: &bytes) else { return nil }
        return Answered(answer: answer, bytes: bytes)
    }

    private func write(
        _ payload: [UInt8], _ key: SessionKey, _ arrival: Arrival, into bytes: inout [UInt8]
    ) -> SessionReflector.Answer? {
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        return session.answer(
            payload.span.bytes, from: key, arrival, into: &span, replyBytes: 42 + max(payload.count, STAMP.baseLength),
            at: time)
    }

    /// Answers the next probe of a sender, which was sent 100 µs ago, and sends the reply.
    @discardableResult
    func answer(
        _ sender: inout ScriptedSender, transmit: [TransmitStamps] = [], receive: [ReceiveStamps] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Answered {
        let probe = sender.probe(at: realtime - 100_000, transmit: transmit, receive: receive)
        let written = try #require(write(probe, from: sender.key), "no reply", sourceLocation: sourceLocation)
        session.recordSent(written.answer)
        return written
    }

    /// Records a transmit timestamp of a reply, which is the current time.
    func stamp(_ answer: SessionReflector.Answer, _ kinds: StampKinds = .software, width: UInt32 = 32) {
        let report = StampReport(
            kinds: kinds, software: realtime,
            hardware: kinds.contains(.hardware) ? HardwareStamp(time: now, realtime: realtime, error: 50) : .none)
        let bits = width == 32 ? answer.id : answer.id & (1 << width - 1)
        session.record(report, of: answer.place, bits: bits, width: width, at: time)
    }

    func refuse(_ answer: SessionReflector.Answer, code: Int32) {
        session.recordRefusal(answer, code: code, at: time)
    }

    @discardableResult
    func finish() -> ReflectorResult { session.finish(at: time) }
}

/// A transmit set of a probe, whose driver timestamp is 2 µs after T1.
func probeStamps(_ sequence: UInt32, at time: Int64) -> TransmitStamps {
    TransmitStamps(
        sequence: sequence, answered: sequence, times: TransmitTimes(app: time, software: time + 2000))
}

/// A receive set of a reply.
func replyReceipt(_ replySequence: UInt32, at time: Int64) -> ReceiveStamps {
    ReceiveStamps(sequence: replySequence, times: ReceiveTimes(software: time, app: time + 4000))
}
