import STAMPWire

/// The clocks of one host as functions of true time, both in nanoseconds: lines with corners where the rate changes, the
/// clock is set, or the host is suspended. Every question has the same answer at any time of the simulation.
final class SimulatedClock {
    /// A part of the clock's life in which its rate is constant.
    private struct Segment {
        var begin: Int64
        var monotonic: Int64
        var realtime: Int64
        /// The deviation from true time, in parts per billion.
        var rate: Int64
        var isSuspended = false
        /// The number of steps of CLOCK_REALTIME up to here, and their sum.
        var steps = 0
        var stepped: Int64 = 0
    }

    /// A time at which the clock changes.
    enum Change {
        case rate(Int64)
        case step(Int64)
        /// CLOCK_MONOTONIC stops, until ``resume``.
        case suspend
        case resume
    }

    private var segments: [Segment]
    private var cursor = 0
    /// The true times of the steps of CLOCK_REALTIME, and their sizes.
    private(set) var steps: [(time: Int64, amount: Int64)] = []
    /// The bound that the host states of its clock's error; nil if the clock is not synchronised.
    var bound: Int64?
    /// The time after a detected step until the clock's quality is known again, in nanoseconds.
    var settling: Int64 = 1_000_000_000

    /// - Parameters:
    ///   - begin: the true time from which the clock runs.
    ///   - offset: CLOCK_REALTIME minus true time at the begin.
    ///   - rate: parts per billion.
    init(from begin: Int64, offset: Int64, rate: Int64, monotonic: Int64) {
        segments = [Segment(begin: begin, monotonic: monotonic, realtime: begin &+ offset, rate: rate)]
    }

    /// Adds a change, later than those before.
    func change(_ change: Change, at time: Int64) {
        var segment = segments[segments.count - 1]
        let elapsed = Self.elapsed(time - segment.begin, segment.rate)
        if !segment.isSuspended { segment.monotonic += elapsed }
        segment.realtime += elapsed
        segment.begin = time
        switch change {
        case .rate(let rate): segment.rate = rate
        case .step(let amount):
            segment.realtime += amount
            segment.steps += 1
            segment.stepped += amount
            steps.append((time, amount))
        case .suspend: segment.isSuspended = true
        case .resume: segment.isSuspended = false
        }
        segments.append(segment)
    }

    func monotonic(at time: Int64) -> Int64 {
        let segment = segments[place(of: time)]
        return segment.isSuspended
            ? segment.monotonic : segment.monotonic + Self.elapsed(time - segment.begin, segment.rate)
    }

    func realtime(at time: Int64) -> Int64 {
        let segment = segments[place(of: time)]
        return segment.realtime + Self.elapsed(time - segment.begin, segment.rate)
    }

    /// The number of steps of CLOCK_REALTIME up to a time, and their sum.
    func steps(until time: Int64) -> (count: Int, amount: Int64) {
        let segment = segments[place(of: time)]
        return (segment.steps, segment.stepped)
    }

    /// The earliest true time from `time` on at which CLOCK_MONOTONIC shows `monotonic` or more.
    func time(ofMonotonic monotonic: Int64, from time: Int64) -> Int64 {
        var index = place(of: time)
        while true {
            let segment = segments[index]
            let isLast = index + 1 == segments.count
            if !segment.isSuspended {
                let missing = monotonic - segment.monotonic
                // Early at any rate below 1,000 ppm, and then nearer each time.
                var found = max(time, segment.begin + missing - max(0, missing) / 1_000)
                while true {
                    let short = monotonic - segment.monotonic - Self.elapsed(found - segment.begin, segment.rate)
                    guard short > 0 else { break }
                    found += max(1, short - short / 500)
                }
                if isLast || found < segments[index + 1].begin { return found }
            }
            index += 1
        }
    }

    /// The largest distance of CLOCK_REALTIME from true time at the corners and at two times.
    func largestError(from first: Int64, to last: Int64) -> Int64 {
        var largest = max(abs(realtime(at: first) - first), abs(realtime(at: last) - last))
        for index in segments.indices where segments[index].begin <= last {
            let segment = segments[index]
            largest = max(largest, abs(segment.realtime - segment.begin))
            guard index > 0 else { continue }
            let before = segments[index - 1]
            let end = before.realtime + Self.elapsed(segment.begin - before.begin, before.rate)
            largest = max(largest, abs(end - segment.begin))
        }
        return largest
    }

    private func place(of time: Int64) -> Int {
        while cursor + 1 < segments.count, segments[cursor + 1].begin <= time { cursor += 1 }
        while cursor > 0, segments[cursor].begin > time { cursor -= 1 }
        return cursor
    }

    @inline(__always)
    private static func elapsed(_ time: Int64, _ rate: Int64) -> Int64 { time + time * rate / 1_000_000_000 }
}
