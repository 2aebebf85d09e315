import LinuxKernel

/// Detects steps of CLOCK_REALTIME by its offset from CLOCK_BOOTTIME, which changes at no other time.
///
/// Slewing, which is all that a time daemon does to a nearly correct clock, moves both clocks alike (timekeeping(9),
/// kernel/time/timekeeping.c: only setting the clock, injecting an offset and leap seconds move `wall_to_monotonic`
/// without moving `offs_boot`). So every step beyond the tolerance is detected,
/// and nothing else counts as one.
public struct ClockStepWatch: Sendable {
    /// CLOCK_REALTIME between two readings of CLOCK_BOOTTIME, in nanoseconds.
    public struct Reading: Hashable, Sendable {
        public var before: Int64
        public var realtime: Int64
        public var after: Int64

        /// Creates a reading from values in nanoseconds. ``now()`` measures them.
        public init(before: Int64, realtime: Int64, after: Int64) {
            self.before = before
            self.realtime = realtime
            self.after = after
        }

        /// Reads the clocks. The C library answers without a system call, in less than 100 ns. If the thread is
        /// preempted meanwhile, it reads again, up to three times.
        public static func now() -> Reading {
            var reading = once()
            for _ in 0..<3 where reading.after &- reading.before > ClockStepWatch.longestReadingNanoseconds {
                let next = once()
                if next.after &- next.before < reading.after &- reading.before { reading = next }
            }
            return reading
        }

        private static func once() -> Reading {
            let before = ClockID.boottime.now()
            let realtime = ClockID.realtime.now()
            return Reading(before: before, realtime: realtime, after: ClockID.boottime.now())
        }
    }

    /// One or more steps of CLOCK_REALTIME since the last check.
    public struct Step: Hashable, Sendable {
        /// The size of the step in nanoseconds; positive: forward, negative: back.
        public var amount: Int64
        /// The largest error of `amount`, in nanoseconds.
        public var error: Int64
    }

    /// The largest offset change that clock rounding can explain, with margin, in nanoseconds. Smaller steps are not
    /// detected.
    static let toleranceNanoseconds: Int64 = 100
    /// The longest reading, in nanoseconds, that an uninterrupted thread takes.
    static let longestReadingNanoseconds: Int64 = 2000

    /// The bounds of the offset: the narrowest of all readings since the last step.
    private var lowerBound: Int64
    private var upperBound: Int64
    /// The number of steps detected.
    public private(set) var steps: UInt32 = 0

    /// Starts watching from a reading.
    public init(from reading: Reading = .now()) {
        (lowerBound, upperBound) = Self.bounds(reading)
    }

    /// Reads the clocks and returns a step of CLOCK_REALTIME since the last check; `nil` if there is none.
    ///
    /// Timestamps taken before a check that finds no step belong to the same clock epoch as the previous check. A
    /// preempted thread widens the reading; the next check then detects a small step.
    public mutating func read() -> Step? { record(.now()) }

    mutating func record(_ reading: Reading) -> Step? {
        let (low, high) = Self.bounds(reading)
        guard low <= high else { return nil }
        if low &- upperBound > Self.toleranceNanoseconds || lowerBound &- high > Self.toleranceNanoseconds {
            // If the clock is off by centuries, the arithmetic may wrap. The result is a step all the same.
            let amount = (low &- lowerBound) / 2 &+ (high &- upperBound) / 2
            let error = ((high &- low) &+ (upperBound &- lowerBound)) / 2 &+ 2
            (lowerBound, upperBound) = (low, high)
            steps &+= 1
            return Step(amount: amount, error: error)
        }
        if high &- low < upperBound &- lowerBound { (lowerBound, upperBound) = (low, high) }
        return nil
    }

    private static func bounds(_ reading: Reading) -> (Int64, Int64) {
        (reading.realtime &- reading.after, reading.realtime &- reading.before)
    }
}
