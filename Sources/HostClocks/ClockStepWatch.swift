import LinuxKernel

/// Notices when CLOCK_REALTIME was set: its distance from CLOCK_BOOTTIME changes at no other time.
///
/// Slewing, which is all that a time daemon does to a clock that is nearly right, moves both alike (timekeeping(9),
/// kernel/time/timekeeping.c: only setting the clock, injecting an offset and leap seconds move `wall_to_monotonic`
/// without moving `offs_boot`). So a step is known exactly, and nothing else is taken for one.
public struct ClockStepWatch: Sendable {
    /// CLOCK_REALTIME between two readings of CLOCK_BOOTTIME, in nanoseconds.
    public struct Reading: Hashable, Sendable {
        public var before: Int64
        public var realtime: Int64
        public var after: Int64

        /// A reading, in nanoseconds as the properties have them: ``now()`` makes them.
        public init(before: Int64, realtime: Int64, after: Int64) {
            self.before = before
            self.realtime = realtime
            self.after = after
        }

        /// The clocks now. The C library answers without a system call, in less than 100 ns. A thread that was held up
        /// meanwhile reads again, a few times.
        public static func now() -> Reading {
            var reading = once()
            for _ in 0..<3 where reading.after &- reading.before > ClockStepWatch.heldUp {
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

    /// CLOCK_REALTIME was set, once or more, since the last look.
    public struct Step: Hashable, Sendable {
        /// How far forward, in nanoseconds; negative: back.
        public var amount: Int64
        /// How far off `amount` can be at most, in nanoseconds.
        public var error: Int64
    }

    /// Rounding of the clocks to nanoseconds, with room to spare. Smaller steps go unseen.
    static let tolerance: Int64 = 100
    /// Longer readings are not of a thread that ran all the time.
    static let heldUp: Int64 = 2000

    /// The distance lies between these; of all readings since the last step, the narrowest.
    private var least: Int64
    private var most: Int64
    /// How often a step was seen.
    public private(set) var steps: UInt32 = 0

    /// Begins to watch.
    public init(from reading: Reading = .now()) {
        (least, most) = Self.bounds(reading)
    }

    /// Reads the clocks and tells whether CLOCK_REALTIME was set since the last look; `nil` where it was not.
    ///
    /// Timestamps that were taken before a look that finds nothing are of the same clock epoch as those before it. A thread that is
    /// held up each time widens the reading: a small step is then found by the next look.
    public mutating func read() -> Step? { record(.now()) }

    mutating func record(_ reading: Reading) -> Step? {
        let (low, high) = Self.bounds(reading)
        guard low <= high else { return nil }
        if low &- most > Self.tolerance || least &- high > Self.tolerance {
            // Of a clock that is off by centuries the arithmetic may wrap: a step all the same.
            let amount = (low &- least) / 2 &+ (high &- most) / 2
            let error = ((high &- low) &+ (most &- least)) / 2 &+ 2
            (least, most) = (low, high)
            steps &+= 1
            return Step(amount: amount, error: error)
        }
        if high &- low < most &- least { (least, most) = (low, high) }
        return nil
    }

    private static func bounds(_ reading: Reading) -> (Int64, Int64) {
        (reading.realtime &- reading.after, reading.realtime &- reading.before)
    }
}
