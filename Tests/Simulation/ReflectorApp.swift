import NetworkAddresses
import Report
import STAMPWire

@testable import STAMPSession

/// The application of a session-reflector: the real state machine, or a foreign implementation.
final class ReflectorApp: SimulatedApp {
    let kind: Scenario.Reflector
    private(set) var life = 0
    /// The results of the real reflector's lives.
    private(set) var results: [ReflectorResult] = []
    private var real: SessionReflector?
    private var foreign: ForeignReflector
    private let configuration: SessionReflector.Configuration
    private let distinguishes: Scenario.Senders
    private let senderCount: Int
    /// The real reflector's place of each sender's session, and the senders with a change since the last advance.
    private var places: [Int]
    private var isTouched: [Bool]
    private var attacks: HostileReplies

    /// The account of each life.
    private(set) var ledgers: [LedgerTruth] = []

    init(_ scenario: Scenario, clock: SimulatedClock, random: SplitMix64) {
        var random = random
        kind = scenario.reflector
        let kernel = scenario.remote.kernel
        var configuration = SessionReflector.Configuration(
            instance: random.next(), host: HostIdentity(bootHash: scenario.isOneHost ? 0xA11CE : 0xB0B), port: STAMP.port)
        configuration.writesRows = scenario.reflectorWritesRows
        configuration.timeoutNanoseconds = max(2_000_000_000, scenario.timeout)
        configuration.expectedStamps = kernel.stamps
        configuration.usesHardwareOnly = scenario.usesHardwareOnly
        self.configuration = configuration
        distinguishes = scenario.distinguishes
        senderCount = scenario.senders
        places = Array(repeating: -1, count: scenario.senders)
        isTouched = Array(repeating: false, count: scenario.senders)
        foreign = ForeignReflector(kind, senders: scenario.senders)
        attacks = HostileReplies(random: random.split())
        let log = RowLog(capacity: Int(scenario.count ?? 1_000) * 2 + 64, random.pick(RowLog.reasons))
        let ledger = LedgerTruth(expecting: kernel.stamps, lanes: scenario.senders, hardwareColumn: log.column)
        super.init(scenario.senders, scenario.remote, clock: clock, log: log, ledger: ledger, random: random)
        self.ledger.countsRefused = true
        begin(at: scenario.begin)
    }

    private func begin(at time: Int64) {
        guard kind == .paired || kind == .hostile else { return }
        var configuration = configuration
        configuration.instance &+= UInt64(life)
        real = SessionReflector(configuration, host: log, at: hostTime(at: time))
    }

    /// Ends a life of the reflector. Its sockets, with what they hold, are closed.
    func end(_ world: World) {
        finish(world)
        isListening = false
        while let waiting = packets.popFirst() { world.probes.release(waiting.packet) }
        while let message = stamps.popFirst() { _ = world.messages.take(message) }
        hasFullStampQueue = false
    }

    func start(_ world: World) {
        life += 1
        isListening = true
        ledger = LedgerTruth(expecting: ledger.expected, lanes: senderCount, hardwareColumn: ledger.hardwareColumn)
        ledger.countsRefused = true
        foreign = ForeignReflector(kind, senders: senderCount)
        places = Array(repeating: -1, count: senderCount)
        isTouched = Array(repeating: false, count: senderCount)
        _ = detectStep(at: world.now)
        begin(at: world.now)
        world.wake(self, at: world.now)
    }

    /// Ends the life, if it has not ended.
    func finish(_ world: World) {
        guard isListening else { return }
        _ = world.nextStep(of: self)
        guard real != nil else { return }
        if let result = real?.finish(at: hostTime(at: world.now)) { results.append(result) }
        ledgers.append(ledger)
        real = nil
    }

    /// Does what the loop of an application does.
    func run(_ world: World) {
        guard isListening else { return }
        var time = world.now
        checkClock(world, time)
        if advancesFirst { advance(world, time) }
        if hasFullStampQueue {
            hasFullStampQueue = false
            ledger.markFull()
            real?.recordFullStampQueue()
        }
        while let message = stamps.popFirst() {
            record(world.messages.take(message), world, time)
            time += callTime / 4
        }
        answer(world, &time)
        advance(world, time)
        let deadline = real == nil ? clock.monotonic(at: time) + 1_000_000_000 : real?.deadline ?? 0
        world.wake(self, at: clock.time(ofMonotonic: deadline, from: time) + random.between(0, latency))
    }

    private func checkClock(_ world: World, _ time: Int64) {
        guard let amount = detectStep(at: time) else { return }
        _ = world.nextStep(of: self)
        real?.recordLocalStep(amount: amount, error: 20, at: hostTime(at: time))
    }

    private func advance(_ world: World, _ time: Int64) {
        guard real != nil else { return }
        _ = world.nextStep(of: self)
        let now = hostTime(at: time)
        let isReport = now.monotonic >= real?.deadline ?? .max
        for sender in 0..<senderCount where isReport || isTouched[sender] {
            ledger.writeOff(before: now.monotonic - Self.stampTimeout, lane: sender)
            isTouched[sender] = false
        }
        real?.advance(to: now, stampsBefore: now.monotonic - Self.stampTimeout)
    }

    private func record(_ message: StampMessage, _ world: World, _ time: Int64) {
        guard message.life == life else { return }
        guard real != nil else {
            return foreign.record(message, isPTP: hostTime(at: time).errorEstimate.isPTP)
        }
        let step = world.nextStep(of: self)
        let isKept = real?.table[message.place].replies.index(of: message.id) != nil
        let sender = world.truth.replies[message.packet].sender
        let entry = world.truth.replies[message.packet].entry
        if ledger.deliver(message.report.kinds, of: entry, step: step, isKept: isKept) { isTouched[sender] = true }
        real?.record(
            message.report, of: message.place, bits: message.id & 0xFFFF, width: 16, at: hostTime(at: time))
    }

    private func answer(_ world: World, _ time: inout Int64) {
        if packets.isEmpty {
            real?.recordEmptyQueue()
            return
        }
        time += callTime
        let (appTime, trueAppTime) = (clock.realtime(at: time), time)
        checkClock(world, time)
        while let waiting = packets.popFirst() {
            var received = waiting.received
            (received.app, received.trueApp) = (appTime, trueAppTime)
            answer(waiting.packet, received, world, time)
            world.probes.release(waiting.packet)
            time += callTime
        }
        real?.recordEmptyQueue()
    }

    private func answer(_ probe: Int, _ received: ReceivedTimes, _ world: World, _ time: Int64) {
        _ = world.nextStep(of: self)
        let now = hostTime(at: time)
        let sender = world.probes.packets[probe].sender
        let sequence = world.probes.packets[probe].sequence
        let length = world.probes.packets[probe].length
        let packet = world.replies.take(bytes: world.layout.size)
        let buffer = world.probes.packets[probe].bytes
        let payload = buffer.span.bytes.extracting(first: length)
        var space = world.replies.packets[packet].bytes.mutableSpan
        var bytes = space.mutableBytes
        let arrival = Arrival(times: received.times, bytes: Int32(length + 42), hopLimit: 62)
        var answer: SessionReflector.Answer?
        let number: UInt32
        if real != nil {
            answer = real?.answer(payload, from: key(of: sender), arrival, into: &bytes, replyBytes: 42 + max(payload.byteCount, STAMP.baseLength), at: now)
            guard let answer else { return world.replies.release(packet) }
            places[sender] = answer.place
            isTouched[sender] = true
            number = ReflectorPacket(decoding: bytes.bytes)?.sequence ?? 0
            world.replies.packets[packet].length = answer.length
        } else {
            let written = foreign.answer(payload, of: sender, sequence, received, into: &bytes, at: now)
            number = written.number
            world.replies.packets[packet].length = written.length
        }
        var reply = Truth.Reply(
            sender: sender, probe: sequence, number: number, life: life,
            isMeasured: world.truth.probes[sender][Int(sequence)].isMeasured, received: received)
        reply.entry = ledger.packets.count
        reply.sent = kernel.send(at: time, clock, &random)
        reply.sent.app = now.realtime
        let capacity = real == nil ? Int.max / 2 : real?.table[answer?.place ?? 0].replies.capacity ?? 0
        ledger.add(lane: sender, capacity: capacity)
        let refusal = kernel.refusesPacket(&random)
        reply.isRefused = refusal != nil
        let sent = reply.sent
        let index = world.truth.add(reply)
        world.replies.packets[packet].reply = index
        let id = answer?.id ?? number
        if let refusal {
            if let answer { real?.recordRefusal(answer, code: refusal, at: now) }
            return world.replies.release(packet)
        }
        ledger.enter(reply.entry, at: now.monotonic)
        if let answer { real?.recordSent(answer) }
        world.report(sent, self, packet: index, place: answer?.place ?? sender, id: id, life: life)
        if kind == .hostile {
            attacks.send(packet, world, to: sender, at: sent.trueNIC)
        } else {
            world.send(packet, isProbe: false, to: sender, at: sent.trueNIC)
        }
    }

    private func key(of sender: Int) -> SessionKey {
        SessionKey(
            source: .v4(0x0A00_0001), sourcePort: distinguishes == .ports ? 50_000 + UInt16(sender) : 50_000,
            destination: .v4(0x0A00_0002), ssid: 0)
    }
}
