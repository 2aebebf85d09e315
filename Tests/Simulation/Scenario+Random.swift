import STAMPSession

extension Scenario {
    /// The largest number of probes of a drawn scenario.
    static let probeLimit: Int64 = 160

    /// Draws a scenario.
    init(seed: UInt64) {
        self.init(seed: seed, begin: 1_750_000_000_123_456_789)
        var random = SplitMix64(seed: seed)
        // Some runs cross the end of NTP's era, 2036-02-07 06:28:16 UTC.
        if random.chance(0.05) { begin = 2_085_978_496_000_000_000 - 100_000_000 }
        drawSession(&random)
        drawReflector(&random)
        forward = path(&random)
        reverse = random.chance(0.5) ? forward : path(&random)
        isOneHost = reflector == .paired && random.chance(0.15)
        local = host(&random)
        remote = host(&random)
        if random.chance(0.2) { drawHardware(&random) }
        if random.chance(0.1) {
            // Both hosts are set at once.
            let time = random.between(0, duration)
            local.steps = [(time, random.between(-2_000_000_000, 2_000_000_000))]
            remote.steps = [(time, random.between(-2_000_000_000, 2_000_000_000))]
        }
    }

    private mutating func drawSession(_ random: inout SplitMix64) {
        interval = random.logarithmic(50_000, random.chance(0.1) ? 10_000_000_000 : 50_000_000)
        timeout = random.pick([20_000_000, 100_000_000, 500_000_000, 1_000_000_000, 2_000_000_000])
        count = UInt64(random.between(Self.probeLimit / 4, Self.probeLimit))
        switch random.below(4) {
        case 0: schedule = .poisson(seed: random.next())
        case 1: schedule = .burst(UInt32(random.between(1, 20)))
        default: schedule = .periodic
        }
        if random.chance(0.1) {
            let isEndless = random.chance(0.5)
            let limit = isEndless ? 60_000_000 + 2 * Self.probeLimit * interval : duration
            stop = (random.between(0, min(limit, duration)), random.chance(0.5) ? .finish : .abort)
            if isEndless { count = nil }
        }
        if random.chance(0.15) {
            senders = random.below(3) + 2
            distinguishes = random.chance(0.5) ? .ports : .ssids
        }
        batch = random.pick([1, 8, 64])
    }

    private mutating func drawReflector(_ random: inout SplitMix64) {
        switch random.below(12) {
        case 0: reflector = .stateful
        case 1: reflector = .followUp
        case 2: reflector = .stateless
        case 3: reflector = .hostile
        default: reflector = .paired
        }
        reflectorWritesRows = random.chance(0.8)
        if random.chance(0.1), reflector != .stateless {
            restarts = [random.between(duration / 10, duration * 9 / 10)]
            restartTime = random.logarithmic(10_000, 2_000_000_000)
        }
    }

    private func path(_ random: inout SplitMix64) -> SimulatedPath {
        var path = SimulatedPath()
        let base = random.logarithmic(1_000, 50_000_000)
        switch random.below(5) {
        case 0: path.delay = .constant(base)
        case 1: path.delay = .uniform(base, 3 * base)
        case 2: path.delay = .exponential(base, random.logarithmic(1_000, base))
        case 3: path.delay = .heavyTail(base, base / 10, limit: 3 * timeout)
        default: path.delay = .bimodal(base, 2 * base, random.uniform())
        }
        switch random.below(5) {
        case 0, 1: path.loss = .none
        case 2: path.loss = .independent(random.chance(0.3) ? 0.4 : 0.03)
        case 3: path.loss = .bursty(enter: 0.03, leave: 0.25, loss: 0.9)
        default:
            // Shorter and longer than twice the timeout.
            let begin = self.begin + random.between(0, duration)
            path.blackouts = [begin..<begin + random.logarithmic(1_000_000, 4 * timeout)]
        }
        if random.chance(0.2) { path.duplication = random.pick([0.01, 0.2]) }
        path.reorders = random.chance(0.25)
        if random.chance(0.2) {
            path.serviceTime = random.logarithmic(1_000, 2 * interval)
            path.queueLimit = random.between(2, 50)
        }
        return path
    }

    private func host(_ random: inout SplitMix64) -> Host {
        var host = Host()
        host.isSynchronized = random.chance(0.5)
        host.offset = random.between(-1, 1) * random.logarithmic(1, host.isSynchronized ? 50_000_000 : 1 << 50)
        host.rate = random.between(-100_000, 100_000)
        host.wander = random.chance(0.5) ? 0 : 1_000
        if random.chance(0.15) {
            host.steps = (0...random.below(3)).map { _ in
                (random.between(0, duration), random.between(-1, 1) * random.logarithmic(1_000, 10_000_000_000))
            }.sorted { $0.0 < $1.0 }
        }
        if host.isSynchronized { host.tracksError = random.chance(0.2) }
        host.usesPTPFormat = random.chance(0.1)
        host.latency = random.logarithmic(500, 1_000_000)
        host.callTime = random.logarithmic(200, 5_000)
        host.advancesFirst = random.chance(0.3)
        if random.chance(0.15) {
            let begin = random.between(0, duration)
            host.stalls = [begin..<begin + random.logarithmic(1_000_000, 5_000_000_000)]
        }
        if random.chance(0.05) {
            let begin = random.between(0, duration)
            host.suspensions = [begin..<begin + random.logarithmic(1_000_000_000, 20_000_000_000)]
        }
        host.kernel = kernel(&random)
        return host
    }

    private func kernel(_ random: inout SplitMix64) -> SimulatedKernel {
        var kernel = SimulatedKernel()
        if random.chance(0.15) {
            kernel.stamps = random.pick([[], .sched, .software, [.sched, .software, .hardware]])
        }
        if random.chance(0.3) { kernel.skipped = random.pick([0.01, 0.2]) }
        if random.chance(0.2) { kernel.late = 0.02 }
        if random.chance(0.1) { kernel.doubled = 0.05 }
        kernel.stampDelay = random.logarithmic(1_000, 5_000_000)
        kernel.joinsMessages = random.chance(0.3)
        if random.chance(0.15) { kernel.stampQueueLimit = Int(random.between(2, 30)) }
        if random.chance(0.1) { kernel.receiveQueueLimit = Int(random.between(2, 30)) }
        if random.chance(0.15) {
            kernel.refusal = 0.05
            kernel.acceptance = random.pick([0.9, 0.1])
            kernel.refusalCode = random.pick([1, 11, 100, 105])
        }
        return kernel
    }

    private mutating func drawHardware(_ random: inout SplitMix64) {
        local.kernel.stamps = [.sched, .software, .hardware]
        remote.kernel.stamps = [.sched, .software, .hardware]
        local.kernel.skippedByNIC = random.pick([0, 0.05])
        remote.kernel.skippedByNIC = random.pick([0, 0.05])
        local.kernel.conversionError = random.logarithmic(10, 10_000)
        remote.kernel.conversionError = random.logarithmic(10, 10_000)
        usesHardwareOnly = random.chance(0.5)
    }
}
