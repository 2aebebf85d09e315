/// The deadlines of a session's probes, around a mean interval.
public enum SchedulePattern: Hashable, Sendable {
    /// A probe in each interval: RFC 3432.
    case periodic
    /// Exponentially distributed times between probes: RFC 2330 section 11.1.1.
    case poisson(seed: UInt64)
    /// Bursts of this many probes at one deadline, as far apart as keeps the mean interval.
    case burst(UInt32)
}

/// The times between the deadlines of one session.
struct Schedule: Sendable {
    let pattern: SchedulePattern
    /// The mean time between two probes, in nanoseconds.
    let intervalNanoseconds: Int64
    private var state: UInt64 = 0
    private var isLeftOfBurst: UInt32 = 0

    init(_ pattern: SchedulePattern, intervalNanoseconds: Int64) {
        self.pattern = pattern
        self.intervalNanoseconds = max(1, intervalNanoseconds)
        if case .poisson(let seed) = pattern { state = seed }
    }

    /// Returns the time from one deadline to the next, in nanoseconds.
    mutating func gap() -> Int64 {
        switch pattern {
        case .periodic: return intervalNanoseconds
        case .poisson: return exponential()
        case .burst(let size):
            isLeftOfBurst = isLeftOfBurst == 0 ? max(1, size) - 1 : isLeftOfBurst - 1
            // The probes of a burst share a deadline.
            guard isLeftOfBurst == 0 else { return 0 }
            let (gap, overflow) = intervalNanoseconds.multipliedReportingOverflow(by: Int64(max(1, size)))
            return overflow ? .max : gap
        }
    }

    /// An exponentially distributed time by von Neumann's method, which compares uniform numbers and needs no logarithm:
    /// "Various techniques used in connection with random digits", 1951.
    private mutating func exponential() -> Int64 {
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
            if isOdd {
                let gap = ((whole + first) * Double(intervalNanoseconds)).rounded()
                return gap < 0x1p63 ? Int64(gap) : .max
            }
            whole += 1
        }
    }

    /// The next number of SplitMix64, from 0 up to and excluding 1.
    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
    }
}
