import FastAFPacket
import HostClocks
import LinuxKernel
import NetworkAddresses
import Report
import STAMPSession
import STAMPWire

/// The thread of an endpoint: it serves the sockets of all its sessions. One wait ends at the earliest deadline, or with
/// packets or timestamps of any socket.
///
/// It owns the sessions, and decides nothing about them: it reads clocks and sockets, and passes on what it finds.
struct EndpointLoop: ~Copyable {
    let sockets: [EndpointSocket]
    let control: EndpointControl
    let nic: NIC
    let ring: SPSCRing<SessionEvent>
    var phc: PHCView
    var turn: TransmitTurn
    var clock = ClockStepWatch()

    let places: [SessionPlace]
    let demultiplexer: SessionDemultiplexer
    var timers: TimerHeap
    /// The sessions that have received something since they were advanced.
    var touched: [Int] = []
    /// The sessions that are not over.
    var running: Int
    var reflector: SessionReflector?
    private let hasReflector: Bool
    var answers: [SessionReflector.Answer] = []
    /// The transmit timestamps of each socket that have not been read.
    var stampStates: [StampState]
    /// The addresses that each socket answers; nil if its filter checks them.
    var localAddresses: [Set<IPAddress>?]
    /// The sessions and sequence numbers of the probes in the batch, and the socket that it is for.
    var batched: [(session: Int, sequence: UInt32)] = []
    let timeout: Int64
    private let spins: Bool
    /// True if a probe whose deadline has passed waits for the NIC to finish another timestamp.
    var isWaitingForNIC = false
    var result = EndpointResult()
    private var nextReport: Int64 = 0
    private var finishingSince: Int64?
    private var lastSilent: [Int] = []
    var lastAnswered: Int64 = 0

    /// Packets are received and sent in batches of this size.
    static let batchCapacity = 64
    /// The number of batches that are received before other work, which a flood must not hold up.
    static let rounds = 16
    /// The low bits of a timestamp's ID that hold a packet's number; the others hold its session's index.
    static let sequenceBits: UInt32 = 20
    static let sessionLimit = 1 << (32 - Int(sequenceBits))
    /// The longest time for which the peers' sessions are answered after this host's have ended, in nanoseconds.
    private static let maximumLingerNanoseconds: Int64 = 10_000_000_000
    private static let endCheckIntervalNanoseconds: Int64 = 20_000_000
    private static let reportIntervalNanoseconds: Int64 = 1_000_000_000

    init(_ plan: EndpointPlan, _ control: EndpointControl, nic: NIC, ring: SPSCRing<SessionEvent>) {
        sockets = plan.sockets
        self.control = control
        self.nic = nic
        self.ring = ring
        phc = PHCView(nic.clock)
        turn = TransmitTurn(nic.missed)
        timeout = plan.timeoutNanoseconds
        spins = plan.spins
        let now = HostTime(
            monotonic: ClockID.monotonic.now(), realtime: ClockID.realtime.now(),
            errorEstimate: ErrorEstimate(rawValue: control.errorEstimate), clockSteps: clock.steps)
        places = plan.sessions.enumerated().map { index, setting in
            SessionPlace(
                setting, plan.sockets[setting.socket],
                SessionRows(.local(Int32(clamping: index)), ring, nic.missed), at: now)
        }
        demultiplexer = SessionDemultiplexer(plan.sessions, peerPort: plan.peerPort)
        timers = TimerHeap(count: places.count)
        running = places.count
        hasReflector = plan.reflector != nil
        if let configuration = plan.reflector {
            reflector = SessionReflector(
                configuration, host: SessionRows(.reflected, ring, nic.missed), at: now)
        }
        localAddresses = plan.sockets.map { $0.admission?.addressesToCheck }
        stampStates = plan.sockets.map { _ in StampState() }
        touched.reserveCapacity(places.count)
        answers.reserveCapacity(Self.batchCapacity)
        batched.reserveCapacity(Self.batchCapacity)
        nextReport = now.monotonic &+ Self.reportIntervalNanoseconds
    }

    /// The batches of the thread.
    struct Buffers: ~Copyable {
        var sending: SendBatch
        var receiving: ReceiveBatch
        var stamps: StampBatch
    }

    /// Serves the sessions until all have ended, or the reflector until it is stopped.
    mutating func run() -> EndpointResult {
        let start = ClockID.monotonic.now()
        let packetBytes = sockets.first?.setting.packetBytes ?? 2048
        let headerBytes = sockets.map(\.headerBytes).max() ?? 0
        var buffers = Buffers(
            sending: SendBatch(capacity: Self.batchCapacity, packetBytes: headerBytes + 4 + packetBytes),
            receiving: ReceiveBatch(capacity: Self.batchCapacity, packetBytes: packetBytes),
            stamps: StampBatch(capacity: 2 * Self.batchCapacity))
        for socket in sockets { socket.conn.setWriteDeadline(monotonic: 0) }
        var poll: ConnectionPoll
        do throws(SystemError) {
            poll = try ConnectionPoll(sockets.map(\.conn), signal: control.signal)
        } catch {
            result.failure = error
            return result
        }
        for session in places.indices { timers.set(session, to: places[session].sender.deadline) }
        while true {
            phc.refresh()
            let now = checkedTime()
            if poll.isSignalRaised { obey() }
            sendDue(now, &buffers)
            serve(poll, &buffers)
            drainStamps(&buffers)
            settle()
            guard result.failure == nil, !isDone() else { break }
            wait(&poll)
        }
        finish()
        result.duration = ClockID.monotonic.now() &- start
        result.threadCPU = ClockID.threadCPU.now()
        return result
    }

    /// Receives what the last wait found. If packets or timestamps remain, the next wait returns at once.
    private mutating func serve(_ poll: borrowing ConnectionPoll, _ buffers: inout Buffers) {
        for index in sockets.indices {
            let activity = poll[index]
            if activity.contains(.packets) {
                if sockets[index].isReflector {
                    answer(index, &buffers)
                } else {
                    receiveReplies(index, &buffers)
                }
            }
            if activity.contains(.stamps) { receiveStamps(index, &buffers) }
        }
    }

    /// Advances the sessions that have received something, and those whose deadline has passed.
    private mutating func settle() {
        let now = time()
        let stampsBefore = nic.missed.deadline(now.monotonic, timeout: timeout)
        for session in touched {
            places[session].isTouched = false
            advance(session, now, stampsBefore)
        }
        touched.removeAll(keepingCapacity: true)
        reflector?.advance(to: now, stampsBefore: stampsBefore)
        guard now.monotonic >= nextReport else { return }
        nextReport = now.monotonic &+ Self.reportIntervalNanoseconds
        let silent = places.indices.filter { places[$0].sender.isPeerSilent }
        if silent != lastSilent { control.silentSessions = silent }
        lastSilent = silent
        reportCounters()
    }

    /// Advances a session, and sets its timer.
    mutating func advance(_ session: Int, _ now: HostTime, _ stampsBefore: Int64) {
        let wasOver = places[session].sender.phase == .over
        places[session].sender.advance(to: now, stampsBefore: stampsBefore)
        timers.set(session, to: places[session].sender.deadline)
        let pending = places[session].sender.pendingStamps
        stampStates[places[session].setting.socket].pending += pending - places[session].pendingStamps
        places[session].pendingStamps = pending
        if !wasOver, places[session].sender.phase == .over { running -= 1 }
    }

    /// Marks a session to be advanced after packets and timestamps are handled.
    mutating func touch(_ session: Int) {
        guard !places[session].isTouched else { return }
        places[session].isTouched = true
        touched.append(session)
    }

    /// Passes requests of other threads to the sessions.
    private mutating func obey() {
        control.signal.clear()
        for command in control.takeCommands() {
            switch command {
            case .nextHop(let session, let address): places[session].follow(nextHop: address)
            case .admit(let socket, let admission): admit(admission, socket)
            }
        }
        let stop = control.stop
        guard stop != .no else { return }
        let now = time()
        for session in places.indices {
            places[session].sender.requestStop(stop)
            advance(session, now, nic.missed.deadline(now.monotonic, timeout: timeout))
        }
    }

    /// Follows a change of the addresses that a reflector's socket answers.
    private mutating func admit(_ admission: Admission, _ socket: Int) {
        guard (try? sockets[socket].admit(admission)) != nil else { return }
        localAddresses[socket] = admission.addressesToCheck
    }

    /// True if nothing is left to do. After the end of this host's sessions the peers' are still answered, until each
    /// has closed or is silent.
    private mutating func isDone() -> Bool {
        guard running == 0 else { return false }
        let stop = control.stop
        guard !places.isEmpty else { return stop != .no }
        guard hasReflector, stop == .no else { return true }
        let now = time()
        let since = finishingSince ?? now.monotonic
        finishingSince = since
        return !(reflector?.isServing(at: now) ?? false) || now.monotonic &- since > Self.maximumLingerNanoseconds
    }

    private mutating func wait(_ poll: inout ConnectionPoll) {
        let now = ClockID.monotonic.now()
        var deadline = min(timers.deadline, nextReport)
        if isWaitingForNIC { deadline = max(deadline, now &+ TransmitTurn.pollInterval) }
        deadline = min(deadline, reflector?.deadline ?? .max)
        if finishingSince != nil { deadline = min(deadline, now &+ Self.endCheckIntervalNanoseconds) }
        for index in sockets.indices {
            deadline = min(deadline, stampStates[index].deadline)
            poll.setAwaitsStamps(awaitsStamps(index), of: index)
        }
        do throws(SystemError) {
            try poll.wait(until: spins ? now : deadline, now)
        } catch {
            result.failure = error
        }
    }

    /// Ends all sessions.
    private mutating func finish() {
        let now = time()
        for place in places {
            result.senders.append(place.sender.finish(at: now))
            result.eventsDropped &+= place.host.dropped
        }
        if let ended = reflector?.finish(at: now) { result.reflector = ended }
        reportCounters()
    }

    private mutating func reportCounters() {
        var (packets, drops, freezes): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for index in sockets.indices {
            guard let statistics = try? sockets[index].conn.statistics() else { continue }
            packets &+= statistics.packets
            drops &+= statistics.drops
            freezes &+= statistics.queueFreezes
        }
        push(.socket(packets: packets, drops: drops, freezes: freezes))
    }

    mutating func push(_ event: SessionEvent) {
        if !ring.push(event) { result.eventsDropped &+= 1 }
    }
}
