import NetworkAddresses
import Report
import STAMPSession
import STAMPWire

/// One run: hosts, paths and the events between them. Nothing in it depends on anything but the scenario.
final class World {
    let scenario: Scenario
    var truth: Truth
    var events = EventQueue()
    /// True time, in Unix nanoseconds.
    var now: Int64
    /// The number of calls of sessions.
    private(set) var step = 0
    var forward: SimulatedPath
    var reverse: SimulatedPath
    var pathRandom: SplitMix64
    var probes = PacketPool()
    var replies = PacketPool()
    var messages = MessagePool()
    private(set) var senders: [SenderApp] = []
    let reflector: ReflectorApp
    let layout: ProbeLayout
    /// The events that the run had, for the measurement of speed.
    private(set) var eventCount = 0
    private static let eventLimit = 20_000_000

    init(_ scenario: Scenario) {
        self.scenario = scenario
        var random = SplitMix64(seed: scenario.seed ^ 0x5EED)
        guard let layout = try? ProbeLayout(size: nil, classOfService: false) else { fatalError("no layout") }
        self.layout = layout
        now = scenario.begin
        truth = Truth(senders: scenario.senders)
        forward = scenario.forward
        reverse = scenario.reverse
        pathRandom = random.split()
        let localClock = Self.clock(of: scenario.local, scenario, 1_000_000_000_000, &random)
        let remoteClock =
            scenario.isOneHost ? localClock : Self.clock(of: scenario.remote, scenario, 5_000_000_000_000, &random)
        reflector = ReflectorApp(scenario, clock: remoteClock, random: random.split())
        for index in 0..<scenario.senders {
            senders.append(SenderApp(index, scenario, layout, clock: localClock, random: random.split()))
        }
    }

    /// Runs to the end of all sessions.
    func run() {
        for sender in senders {
            wake(sender, at: now)
            if let stop = scenario.stop { events.add(.stop, at: now + stop.time, app: sender.index) }
        }
        wake(reflector, at: now)
        for restart in scenario.restarts { events.add(.reflectorEnds, at: now + restart, app: reflector.index) }
        var open = senders.count
        while open > 0, eventCount < Self.eventLimit, let event = events.next() {
            eventCount += 1
            now = max(now, event.time)
            switch event.kind {
            case .wake:
                let app = app(Int(event.app))
                guard app.nextWake == event.time else { continue }
                app.nextWake = .max
                guard app.index < senders.count else {
                    reflector.run(self)
                    continue
                }
                let sender = senders[app.index]
                guard sender.result == nil else { continue }
                sender.run(self)
                if sender.result != nil { open -= 1 }
            case .probeArrives: arrive(&probes, Int(event.index), reflector)
            case .replyArrives: arrive(&replies, Int(event.index), app(Int(event.app)))
            case .stampArrives: arriveStamp(Int(event.index), app(Int(event.app)))
            case .stop:
                if let stop = scenario.stop { senders[Int(event.app)].requestStop(stop.kind) }
                wake(senders[Int(event.app)], at: now + 1_000)
            case .reflectorEnds:
                reflector.end(self)
                events.add(.reflectorStarts, at: now + scenario.restartTime, app: reflector.index)
            case .reflectorStarts: reflector.start(self)
            }
        }
        reflector.finish(self)
    }

    func app(_ index: Int) -> SimulatedApp { index < senders.count ? senders[index] : reflector }

    /// Counts a call of a session.
    func nextStep(of app: SimulatedApp) -> Int {
        step += 1
        app.log.step = step
        return step
    }

    /// Lets an application run at a time, or before.
    func wake(_ app: SimulatedApp, at time: Int64) {
        let time = app.runnable(from: max(now, time))
        guard time < app.nextWake else { return }
        app.nextWake = time
        events.add(.wake, at: time, app: app.index)
    }

    /// Puts a packet that has left its host on its path.
    func send(_ packet: Int, isProbe: Bool, to app: Int, at time: Int64) {
        let (first, second) =
            isProbe ? forward.send(at: time, &pathRandom) : reverse.send(at: time, &pathRandom)
        let copies = (first == nil ? 0 : 1) + (second == nil ? 0 : 1)
        if isProbe { probes.packets[packet].copies = copies } else { replies.packets[packet].copies = copies }
        guard copies > 0 else { return isProbe ? probes.release(packet) : replies.release(packet) }
        for time in [first, second] {
            guard let time else { continue }
            events.add(isProbe ? .probeArrives : .replyArrives, at: time, app: app, index: packet)
        }
    }

    /// The kernel of the receiving host takes a packet.
    private func arrive(_ pool: inout PacketPool, _ packet: Int, _ app: SimulatedApp) {
        guard app.packets.count < app.kernel.receiveQueueLimit, !app.isSuspended(at: now), app.isListening else {
            return pool.release(packet)
        }
        let received = app.kernel.receive(at: now, app.clock, &app.random)
        app.packets.append(SimulatedApp.WaitingPacket(packet: packet, received: received))
        wake(app, at: received.trueSoftware + app.reaction())
    }

    private func arriveStamp(_ message: Int, _ app: SimulatedApp) {
        guard app.stamps.count < app.kernel.stampQueueLimit else {
            app.hasFullStampQueue = true
            _ = messages.take(message)
            return
        }
        app.stamps.append(message)
        wake(app, at: now + app.reaction())
    }

    /// Sends the messages with a packet's transmit timestamps on their way.
    ///
    /// - Parameter wasRefused: true if the packet was refused by a full queue after the SCHED timestamp was taken.
    func report(
        _ sent: SentTimes, _ app: SimulatedApp, packet: Int, place: Int, id: UInt32, life: Int, wasRefused: Bool = false
    ) {
        let kernel = app.kernel
        func message(_ kinds: StampKinds, _ report: StampReport, after time: Int64) {
            guard !kinds.isEmpty, let arrival = kernel.messageArrival(kinds, after: time, &app.random) else { return }
            let message = StampMessage(report: report, packet: packet, place: place, id: id, life: life)
            events.add(.stampArrives, at: arrival, app: app.index, index: messages.add(message))
            if app.random.chance(kernel.doubled) {
                events.add(.stampArrives, at: arrival + 1_000, app: app.index, index: messages.add(message))
            }
        }
        if kernel.stamps.contains(.sched) {
            message(.sched, StampReport(kinds: .sched, software: sent.sched), after: sent.trueSched)
        }
        guard !wasRefused else { return }
        let both: StampKinds = [.software, .hardware]
        if kernel.joinsMessages, kernel.stamps.isSuperset(of: both) {
            message(both, StampReport(kinds: both, software: sent.software, hardware: sent.nic), after: sent.trueNIC)
            return
        }
        if kernel.stamps.contains(.software) {
            message(.software, StampReport(kinds: .software, software: sent.software), after: sent.trueSoftware)
        }
        if kernel.stamps.contains(.hardware) {
            message(.hardware, StampReport(kinds: .hardware, hardware: sent.nic), after: sent.trueNIC)
        }
    }

    private static func clock(
        of host: Scenario.Host, _ scenario: Scenario, _ monotonic: Int64, _ random: inout SplitMix64
    ) -> SimulatedClock {
        let clock = SimulatedClock(from: scenario.begin, offset: host.offset, rate: host.rate, monotonic: monotonic)
        var changes: [(time: Int64, change: SimulatedClock.Change)] = []
        for step in host.steps where step.amount != 0 { changes.append((step.time, .step(step.amount))) }
        for suspension in host.suspensions {
            changes += [(suspension.lowerBound, .suspend), (suspension.upperBound, .resume)]
        }
        if host.wander > 0 {
            var rate = host.rate
            for tick in 1...min(100, max(1, scenario.duration / 100_000_000)) {
                rate = max(-400_000, min(400_000, rate + random.between(-host.wander, host.wander)))
                changes.append((tick * 100_000_000, .rate(rate)))
            }
        }
        var last: Int64 = 0
        for (time, change) in changes.sorted(by: { $0.time < $1.time }) {
            last = max(last + 1, time)
            clock.change(change, at: scenario.begin + last)
        }
        if host.isSynchronized {
            // An hour at the largest rate covers every run.
            clock.bound = clock.largestError(from: scenario.begin, to: scenario.begin + 3_600_000_000_000) + 1
        }
        return clock
    }
}
