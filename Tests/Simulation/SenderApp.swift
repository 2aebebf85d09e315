import NetworkAddresses
import Report
import STAMPWire

@testable import STAMPSession

/// The application of a session-sender: the real state machine in a simulated process.
final class SenderApp: SimulatedApp {
    private(set) var session: SessionSender
    /// Nil until the session is over.
    private(set) var result: SenderResult?
    let capacity: UInt32
    /// The times by CLOCK_MONOTONIC at which the measurement began and ended, and the probes before it.
    private(set) var measuringFrom: Int64?
    private(set) var measuringTo: Int64?
    /// The steps of this host's clock that were reported to the session since it began to measure.
    private(set) var reportedSteps: [Int64] = []
    private let batch: Int
    private var burst: [(sequence: UInt32, packet: Int)] = []

    init(_ index: Int, _ scenario: Scenario, _ layout: ProbeLayout, clock: SimulatedClock, random: SplitMix64) {
        var random = random
        let kernel = scenario.local.kernel
        var configuration = SessionSender.Configuration(
            session: random.next(), ssid: scenario.distinguishes == .ssids ? UInt16(index + 1) : 1,
            peer: .ip(.v4(0x0A00_0002)), peerPort: STAMP.port, layout: layout, frameBytes: layout.size + 42,
            intervalNanoseconds: scenario.interval, timeoutNanoseconds: scenario.timeout,
            host: HostIdentity(bootHash: 0xA11CE))
        configuration.schedule = scenario.schedule
        configuration.count = scenario.count
        configuration.phaseNanoseconds = Int64(index) * 100_000
        configuration.expectedStamps = kernel.stamps
        configuration.usesHardwareOnly = scenario.usesHardwareOnly
        let log = RowLog(capacity: Int(scenario.count ?? 1_000) * 2 + 64, random.pick(RowLog.reasons))
        let now = HostTime(
            monotonic: clock.monotonic(at: scenario.begin), realtime: clock.realtime(at: scenario.begin),
            errorEstimate: ErrorEstimate(rawValue: 1))
        capacity = UInt32(SessionSender.slotCount(configuration))
        batch = scenario.batch
        session = SessionSender(configuration, host: log, at: now)
        let ledger = LedgerTruth(expecting: kernel.stamps, lanes: 1, hardwareColumn: log.column)
        super.init(index, scenario.local, clock: clock, log: log, ledger: ledger, random: random)
    }

    func requestStop(_ stop: SessionSender.Stop) { session.requestStop(stop) }

    /// Does what the loop of an application does: reads timestamps and packets, lets the session advance, and sends.
    func run(_ world: World) {
        guard result == nil else { return }
        var time = world.now
        checkClock(world, time)
        if advancesFirst { advance(world, time) }
        if hasFullStampQueue {
            hasFullStampQueue = false
            ledger.markFull()
            session.recordFullStampQueue()
        }
        while let message = stamps.popFirst() {
            record(world.messages.take(message), world, time)
            time += callTime / 4
        }
        receive(world, &time)
        advance(world, time)
        if session.phase != .over { send(world, &time) }
        guard session.phase != .over else { return finish(world, time) }
        world.wake(self, at: clock.time(ofMonotonic: session.deadline, from: time) + random.between(0, latency))
    }

    private func checkClock(_ world: World, _ time: Int64) {
        guard let amount = detectStep(at: time) else { return }
        _ = world.nextStep(of: self)
        session.recordLocalStep(amount: amount, error: 20, at: hostTime(at: time))
        reportedSteps.append(amount)
    }

    private func advance(_ world: World, _ time: Int64) {
        _ = world.nextStep(of: self)
        let now = hostTime(at: time)
        let before = session.phase
        let stampsBefore = now.monotonic - Self.stampTimeout
        if session.phase != .over { ledger.writeOff(before: stampsBefore, lane: 0) }
        session.advance(to: now, stampsBefore: stampsBefore)
        guard before != session.phase else { return }
        if session.phase == .measuring {
            measuringFrom = now.monotonic
            reportedSteps.removeAll()
        }
        if before == .measuring { measuringTo = now.monotonic }
    }

    private func record(_ message: StampMessage, _ world: World, _ time: Int64) {
        let step = world.nextStep(of: self)
        let isKept = session.slots.index(of: message.id) != nil
        _ = ledger.deliver(message.report.kinds, of: message.packet, step: step, isKept: isKept)
        let width: UInt32 = random.chance(0.5) ? 16 : 32
        let bits = width == 32 ? message.id : message.id & 0xFFFF
        session.record(
            message.report, of: session.sequence(ofBits: bits, width: width), at: hostTime(at: time))
    }

    private func receive(_ world: World, _ time: inout Int64) {
        guard !packets.isEmpty else { return }
        time += callTime
        let (appTime, trueAppTime) = (clock.realtime(at: time), time)
        checkClock(world, time)
        while let waiting = packets.popFirst() {
            var received = waiting.received
            (received.app, received.trueApp) = (appTime, trueAppTime)
            let step = world.nextStep(of: self)
            let now = hostTime(at: time)
            let packet = waiting.packet
            let length = world.replies.packets[packet].length
            let reply = world.replies.packets[packet].reply
            let buffer = world.replies.packets[packet].bytes
            let payload = buffer.span.bytes.extracting(first: length)
            if reply >= 0 {
                world.truth.add(
                    Truth.Delivery(
                        sender: index, reply: reply, step: step, at: now.monotonic, received: received,
                        telemetry: ReportedNumbers(payload),
                        isKept: UInt32(world.truth.probes[index].count) - world.truth.replies[reply].probe <= capacity))
            }
            session.receive(
                payload, Arrival(times: received.times, bytes: Int32(length + 42), hopLimit: 61, dscp: 0), at: now)
            world.replies.release(packet)
            time += callTime
        }
    }

    private func send(_ world: World, _ time: inout Int64) {
        while session.isProbeDue(at: clock.monotonic(at: time)) {
            burst.removeAll(keepingCapacity: true)
            while burst.count < batch, session.isProbeDue(at: clock.monotonic(at: time)) {
                guard write(world, time) else { return }
                time += callTime
            }
            for (sequence, packet) in burst { pass(sequence, packet, world, time) }
            time += callTime
        }
    }

    /// Writes one probe into a packet.
    private func write(_ world: World, _ time: Int64) -> Bool {
        _ = world.nextStep(of: self)
        let now = hostTime(at: time)
        let packet = world.probes.take(bytes: world.layout.size)
        let isMeasured = session.phase == .measuring
        log.probes = UInt32(world.truth.probes[index].count)
        var payload = world.probes.packets[packet].bytes.mutableSpan
        var bytes = payload.mutableBytes
        guard let sequence = session.writeProbe(into: &bytes, at: now) else {
            world.probes.release(packet)
            return false
        }
        world.probes.packets[packet].length = world.layout.size
        world.probes.packets[packet].sender = index
        world.probes.packets[packet].sequence = sequence
        var probe = Truth.Probe()
        probe.isMeasured = isMeasured
        probe.sent.trueApp = time
        probe.sent.app = now.realtime
        world.truth.probes[index].append(probe)
        log.probes = sequence &+ 1
        ledger.add(lane: 0, capacity: Int(capacity))
        burst.append((sequence, packet))
        return true
    }

    /// Passes one probe to the kernel.
    private func pass(_ sequence: UInt32, _ packet: Int, _ world: World, _ time: Int64) {
        _ = world.nextStep(of: self)
        let place = Int(sequence)
        let app = world.truth.probes[index][place].sent
        var sent = kernel.send(at: time, clock, &random)
        (sent.app, sent.trueApp) = (app.app, app.trueApp)
        let now = hostTime(at: time)
        world.truth.probes[index][place].sent = sent
        world.truth.probes[index][place].sentAt = now.monotonic
        if let code = kernel.refusesPacket(&random) {
            world.truth.probes[index][place].refusal = code
            session.recordRefusal(sequence, code: code, at: now)
            if code == 105 {
                world.report(sent, self, packet: place, place: 0, id: sequence, life: 0, wasRefused: true)
            }
            return world.probes.release(packet)
        }
        ledger.enter(place, at: now.monotonic)
        session.recordSent(sequence, at: now.monotonic)
        world.report(sent, self, packet: place, place: 0, id: sequence, life: 0)
        world.send(packet, isProbe: true, to: world.reflector.index, at: sent.trueNIC)
    }

    private func finish(_ world: World, _ time: Int64) {
        _ = world.nextStep(of: self)
        result = session.finish(at: hostTime(at: time))
        isListening = false
    }
}
