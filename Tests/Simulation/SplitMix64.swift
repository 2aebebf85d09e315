/// The simulation's random numbers: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
/// 2014). Its results are the same on every machine, and so use neither logarithms nor the system's generator.
struct SplitMix64: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A generator of its own for one part of a scenario, so that a change of one part leaves the others as they were.
    mutating func split() -> SplitMix64 { SplitMix64(seed: next()) }

    /// A number from 0 up to and excluding 1.
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func chance(_ probability: Double) -> Bool { probability > 0 && uniform() < probability }

    /// A number from `low` through `high`.
    mutating func between(_ low: Int64, _ high: Int64) -> Int64 {
        low >= high ? low : low &+ Int64(truncatingIfNeeded: next() % UInt64(bitPattern: high &- low &+ 1))
    }

    mutating func below(_ count: Int) -> Int { Int(truncatingIfNeeded: next() % UInt64(max(1, count))) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// A number between two positive ones, uniform on a logarithmic scale: by halving intervals.
    mutating func logarithmic(_ low: Int64, _ high: Int64) -> Int64 {
        var (low, high) = (low, high)
        while high / max(1, low) >= 2 {
            let middle = Int64((Double(low) * Double(high)).squareRoot())
            if next() & 1 == 0 { low = middle } else { high = middle }
            if middle <= 1 { break }
        }
        return between(low, high)
    }

    /// An exponentially distributed time by von Neumann's method of comparing uniform numbers.
    mutating func exponential(mean: Int64) -> Int64 {
        var whole = 0.0
        while true {
            let first = uniform()
            var last = first
            var isOdd = true
            while true {
                let next = uniform()
                guard next < last else { break }
                last = next
                isOdd.toggle()
            }
            if isOdd { return Int64((whole + first) * Double(mean)) }
            whole += 1
        }
    }
}
