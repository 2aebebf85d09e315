import LinuxKernel
import Report
import Testing

extension Lab {
    /// Takes a side's link down, and up again after `duration`.
    ///
    /// - Returns: the shortest and the longest time that the link can have been down, in nanoseconds.
    func takeLinkDown(_ side: Side, for duration: Duration) async throws -> ClosedRange<Int64> {
        let before = ClockID.monotonic.now()
        try ip(side, "link set probe0 down")
        let down = ClockID.monotonic.now()
        try await Task.sleep(for: duration)
        let up = ClockID.monotonic.now()
        // The kernel has removed the neighbour entries with the link.
        try Command.ip(
            [
                "link set probe0 up",
                "neigh replace \(Self.ipv4(side.other)) lladdr \(Self.mac(side.other)) dev probe0 nud permanent",
            ], in: namespace(side))
        return (up - down)...(ClockID.monotonic.now() - before)
    }
}

extension ProbeProcess {
    /// Waits until the peer has answered, and then until the process's interface has sent `count` more frames.
    func waitForFrames(_ count: Int, within seconds: Double = 15) async throws {
        // Before that the process may not be in its namespace yet.
        try await waitForErrorLine("The peer is up", within: seconds)
        let first = try transmittedFrames(Lab.interface)
        try await waitFor("\(count) frames; standard error: \(errors)", within: seconds) {
            try transmittedFrames(Lab.interface) >= first + count ? () : nil
        }
    }

    /// The lines of standard error that contain `text`.
    func errorLines(_ text: String) -> [Substring] { errors.split(separator: "\n").filter { $0.contains(text) } }

    /// Expects exactly one line of standard error with `text`, and the time "HH:MM:SS.d UTC" after it to be `time`,
    /// CLOCK_REALTIME, to 0.2 s.
    func expectNotice(_ text: String, at time: Int64, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let lines = errorLines(text)
        #expect(lines.count == 1, "\(text): \(errors)", sourceLocation: sourceLocation)
        let clock = try #require(
            lines.first?.firstMatch(of: /since ([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]) UTC/),
            "no time in \(lines)", sourceLocation: sourceLocation)
        let (hours, minutes, seconds) = (Int64(clock.1)!, Int64(clock.2)!, Int64(clock.3)!)
        let tenths = ((hours * 60 + minutes) * 60 + seconds) * 10 + Int64(clock.4)!
        let day: Int64 = 24 * 60 * 60 * 10
        // Midnight may lie between the two.
        let distance = ((time / 100_000_000 - tenths) % day + day) % day
        #expect(min(distance, day - distance) <= 2, "\(lines), at \(time)", sourceLocation: sourceLocation)
    }
}

extension Log {
    /// Expects one probe row and one reply row for each of `count` consecutive sequence numbers.
    func expectRows(_ count: Int?, sourceLocation: SourceLocation = #_sourceLocation) {
        for rows in [probes, replies] {
            let sequences = rows.map(\.sequence).sorted()
            #expect(rows.count == count, sourceLocation: sourceLocation)
            #expect(Set(sequences).count == rows.count, "a repeated number", sourceLocation: sourceLocation)
            #expect(
                zip(sequences, sequences.dropFirst()).allSatisfy { $1 == $0 + 1 }, "a missing number",
                sourceLocation: sourceLocation)
        }
    }
}

extension Summary {
    /// Expects the probes that were due to be sent, not sent or skipped, and each timestamp's outcomes to add up.
    func expectBalance(due: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let counts = try ["sent", "not_sent", "skipped"].map { try #require(self["probes.\($0)"]) }
        #expect(self["probes.due"] == due, sourceLocation: sourceLocation)
        #expect(counts.reduce(0, +) == due, sourceLocation: sourceLocation)
        #expect(self["counters.skipped_deadlines"] == counts[2], sourceLocation: sourceLocation)
        #expect(value("stamps.balanced") as? Bool == true, sourceLocation: sourceLocation)
        #expect(
            self["stamps.sent"] == counts[0] + (self["counters.uncounted_probes"] ?? 0),
            sourceLocation: sourceLocation)
    }

    /// The losses: forward, reverse, and of unknown direction.
    var losses: [Int] { ["forward", "reverse", "unknown"].compactMap { self["totals.lost_\($0)"] } }
}
