/// One direction of the path between two hosts. All times are true times in nanoseconds.
struct SimulatedPath {
    /// The distribution of the delay of one packet.
    enum Delay {
        case constant(Int64)
        case uniform(Int64, Int64)
        /// A base, and an exponentially distributed time with a mean.
        case exponential(Int64, Int64)
        /// A base, and a scale whose excess has infinite variance (Pareto, exponent 1), up to a limit.
        case heavyTail(Int64, Int64, limit: Int64)
        /// One of two values, the second with a probability.
        case bimodal(Int64, Int64, Double)
    }

    /// The process by which packets are lost.
    enum Loss {
        case none
        case independent(Double)
        /// Gilbert-Elliott: the probabilities to enter and leave the bad state for each packet, and of loss in it.
        case bursty(enter: Double, leave: Double, loss: Double)
    }

    var delay = Delay.constant(1_000_000)
    var loss = Loss.none
    /// The times in which every packet is lost.
    var blackouts: [Range<Int64>] = []
    var duplication = 0.0
    /// True if a packet may overtake another one.
    var reorders = false
    /// The time that the bottleneck takes for each packet, and the packets that may wait for it.
    var serviceTime: Int64 = 0
    var queueLimit: Int64 = 1_000

    private var isBad = false
    private var bottleneckFree: Int64 = 0
    private var lastArrival: Int64 = 0

    /// Sends a packet.
    ///
    /// - Returns: the times at which its copies arrive; nil for each that does not.
    mutating func send(at time: Int64, _ random: inout SplitMix64) -> (Int64?, Int64?) {
        if loses(at: time, &random) { return (nil, nil) }
        var departure = time
        if serviceTime > 0 {
            let wait = max(0, bottleneckFree - time)
            guard wait <= queueLimit * serviceTime else { return (nil, nil) }
            departure = time + wait + serviceTime
            bottleneckFree = departure
        }
        let first = arrival(of: departure, &random)
        return (first, random.chance(duplication) ? arrival(of: departure, &random) : nil)
    }

    private mutating func loses(at time: Int64, _ random: inout SplitMix64) -> Bool {
        for blackout in blackouts where blackout.contains(time) { return true }
        switch loss {
        case .none: return false
        case .independent(let probability): return random.chance(probability)
        case .bursty(let enter, let leave, let loss):
            isBad = isBad ? !random.chance(leave) : random.chance(enter)
            return isBad && random.chance(loss)
        }
    }

    private mutating func arrival(of departure: Int64, _ random: inout SplitMix64) -> Int64 {
        let arrival = departure + draw(&random)
        if reorders { return arrival }
        lastArrival = max(lastArrival + 1, arrival)
        return lastArrival
    }

    private func draw(_ random: inout SplitMix64) -> Int64 {
        switch delay {
        case .constant(let value): value
        case .uniform(let low, let high): random.between(low, high)
        case .exponential(let base, let mean): base + random.exponential(mean: mean)
        case .heavyTail(let base, let scale, let limit):
            base + min(limit, Int64(Double(scale) / max(1e-6, random.uniform())) - scale)
        case .bimodal(let near, let far, let share): random.chance(share) ? far : near
        }
    }
}
