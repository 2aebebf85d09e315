import Foundation
import Report
import Testing

/// Tests two runs towards each other on a veth pair: the invariants of each row and of each total.
@Suite(.serialized, .needsRoot)
struct PairTests {
    /// The results of one pair of runs.
    struct Measured {
        let log: Log
        let peerLog: Log
        let summary: Summary
        let peerSummary: Summary
        let histogram: HistogramExport

        /// The number of probes sent: all, unless the host stalled for 100 ms or more.
        var sent: Int { get throws { try #require(summary["counters.sent"]) } }
    }

    static let probes = 300

    private func measure(
        _ family: Lab.Family = .ipv4, _ body: (Measured) throws -> Void
    ) async throws {
        try await Lab.with { lab in
            let histogram = lab.file("histogram.csv")
            let options = ["--rate", "500", "--count", "\(Self.probes)", "--log-reflected"]
            let summaries = try await lab.runPair(family, a: options + ["--histogram", histogram], b: options)
            var export = HistogramExport()
            try export.merge(csv: Array(Data(contentsOf: URL(fileURLWithPath: histogram))))
            try body(
                Measured(
                    log: Log(lab.log(.a)), peerLog: Log(lab.log(.b)), summary: summaries.a, peerSummary: summaries.b,
                    histogram: export))
        }
    }

    @Test(arguments: Lab.Family.allCases)
    func `Each side logs two rows for each probe it sends, over every address family`(family: Lab.Family)
        async throws
    {
        try await measure(family) { measured in
            for (log, summary) in [(measured.log, measured.summary), (measured.peerLog, measured.peerSummary)] {
                let local = log.session(try summary.session)
                let sent = try #require(summary["counters.sent"])
                let skipped = try #require(summary["counters.skipped_deadlines"])
                #expect(sent + skipped == Self.probes)
                for rows in [local.probes, local.replies] {
                    #expect(rows.count == sent)
                    let sequences = rows.map(\.sequence).sorted()
                    #expect(Set(sequences).count == sent, "a repeated sequence number")
                    #expect(Int(sequences.last! - sequences.first!) == sent - 1, "a missing sequence number")
                }
                #expect(local.probes.allSatisfy { $0.direction == .out })
                #expect(local.replies.allSatisfy { $0.direction == .in })
            }
        }
    }

    @Test(arguments: Lab.Family.allCases)
    func `Every row has both ends' timestamps, in the order of the packet's path`(family: Lab.Family) async throws {
        try await measure(family) { measured in
            for (log, summary) in [(measured.log, measured.summary), (measured.peerLog, measured.peerSummary)] {
                let local = log.session(try summary.session).rows
                let stamped = local.filter { $0.transmitSoftware != nil && $0.receiveSoftware != nil }
                #expect(Double(stamped.count) >= 0.99 * Double(local.count))
                for row in stamped {
                    let stamps = [
                        row.transmitApp, row.transmitSched, row.transmitSoftware, row.receiveSoftware, row.receiveApp,
                    ]
                    try #require(stamps.allSatisfy { $0 != nil }, "a timestamp is missing: \(row)")
                    #expect(stamps.compactMap { $0 } == stamps.compactMap { $0 }.sorted(), "out of order: \(row)")
                    #expect(row.transmitStamp == .software && row.receiveStamp == .software)
                    #expect(row.transmitHardware == nil && row.receiveHardware == nil)
                }
            }
        }
    }

    @Test func `A row's delay is the receive minus the transmit timestamp, exact to a nanosecond on one kernel`()
        async throws
    {
        try await measure { measured in
            #expect(measured.summary.value("relative") as? Bool == false)
            let local = measured.log.session(try measured.summary.session).rows
            for row in local where row.transmitSoftware != nil && row.receiveSoftware != nil {
                #expect(row.delay == row.receiveSoftware! - row.transmitSoftware!)
                #expect(row.delayClock == .software)
                #expect(row.delayError == 1)
            }
        }
    }

    @Test(arguments: Lab.Family.allCases) func `The median delay of a veth pair is below 5 us in both directions`(
        family: Lab.Family
    ) async throws {
        try await measure(family) { measured in
            let local = measured.log.session(try measured.summary.session)
            for rows in [local.probes, local.replies] {
                let delay = try median(rows.compactMap(\.delay))
                #expect(delay > 0)
                #expect(delay < 5_000)
            }
        }
    }

    @Test func `Forward and reverse delay add up to the round trip to the nanosecond`() async throws {
        try await measure { measured in
            let local = measured.log.session(try measured.summary.session)
            let replies = local.replies.bySequence
            var roundTrips: [Int64] = []
            for probe in local.probes {
                let reply = try #require(replies[probe.sequence])
                guard let sent = probe.transmitSoftware, let reached = probe.receiveSoftware,
                    let left = reply.transmitSoftware, let back = reply.receiveSoftware
                else { continue }
                let roundTrip = (back - sent) - (left - reached)
                #expect(try #require(probe.delay) + #require(reply.delay) == roundTrip)
                // The reply is sent after its probe was received.
                #expect(left > reached)
                roundTrips.append(roundTrip)
            }
            #expect(measured.summary["rtt.count"] == roundTrips.count)
            #expect(measured.summary["rtt.min_ns"] == roundTrips.min().map(Int.init))
            #expect(measured.summary["rtt.max_ns"] == roundTrips.max().map(Int.init))
        }
    }

    @Test func `The summary's counts and extremes are those of the log`() async throws {
        try await measure { measured in
            let summary = measured.summary
            let local = measured.log.session(try summary.session)
            for (direction, packet, rows) in [
                ("forward", PacketKind.probe, local.probes), ("reverse", .reply, local.replies),
            ] {
                let statuses: [(String, PacketStatus)] = [
                    ("ok", .ok), ("reordered", .reordered), ("late", .late), ("lost", .lost), ("unknown", .unknown),
                    ("duplicate", .duplicate), ("corrupt", .corrupt),
                ]
                for (name, status) in statuses {
                    #expect(
                        summary["\(direction).packets.\(name)"] == local.count(packet, status), "\(direction) \(name)")
                }
                #expect(try summary["\(direction).packets.sent"] == measured.sent)
                let delays = rows.filter(\.status.isInDelayStatistics).compactMap(\.delay)
                #expect(summary["\(direction).delay.count"] == delays.count)
                #expect(summary["\(direction).delay.min_ns"] == delays.min().map(Int.init))
                #expect(summary["\(direction).delay.max_ns"] == delays.max().map(Int.init))
                #expect(try summary["\(direction).ipdv.count"] == measured.sent - 1)
            }
        }
    }

    @Test func `The outcomes of each kind of transmit timestamp add up to the packets sent`() async throws {
        try await measure { measured in
            let summary = measured.summary
            // Opening and closing probes are outside the statistics, but their timestamps are counted.
            let sent = try #require(summary["counters.sent"]) + #require(summary["counters.uncounted_probes"])
            #expect(summary["stamps.sent"] == sent)
            #expect(summary.value("stamps.balanced") as? Bool == true)
            for kind in ["sched", "software", "hardware"] {
                let sum = summary.keys("stamps.\(kind)").compactMap { summary["stamps.\(kind).\($0)"] }.reduce(0, +)
                #expect(sum == sent, "\(kind)")
            }
            #expect(summary["stamps.software.stamped"] == sent)
            #expect(summary["stamps.hardware.unsupported"] == sent)
        }
    }

    @Test func `The histogram file counts exactly the rows that have the delay or stage`() async throws {
        try await measure { measured in
            let session = try measured.summary.session
            let local = measured.log.session(session)
            func count(_ metric: String, _ packet: PacketKind?) -> Int {
                measured.histogram.buckets(HistogramExport.Key(session: session, metric: metric, packet: packet))
                    .reduce(0) { $0 + Int($1.count) }
            }
            for (packet, rows) in [(PacketKind.probe, local.probes), (.reply, local.replies)] {
                #expect(count("delay", packet) == rows.count { $0.delay != nil })
                #expect(count("app_to_sched", packet) == rows.count { $0.transmitSched != nil })
                #expect(count("sched_to_driver", packet) == rows.count { $0.transmitSoftware != nil })
                #expect(count("software_to_app", packet) == rows.count { $0.receiveSoftware != nil })
                #expect(count("driver_to_card", packet) == 0)
                #expect(try count("ipdv", packet) == measured.sent - 1)
                for bucket in measured.histogram.buckets(
                    HistogramExport.Key(session: session, metric: "delay", packet: packet))
                {
                    let inside = rows.compactMap(\.delay).count { $0 >= bucket.from && $0 <= bucket.to }
                    #expect(inside == Int(bucket.count), "\(bucket.from) to \(bucket.to) ns")
                }
            }
            #expect(count("rtt", nil) == measured.summary["rtt.count"])
        }
    }

    @Test(arguments: Lab.Family.allCases)
    func `The peer's rows of a session have the same timestamps as the sender's rows`(family: Lab.Family) async throws {
        try await measure(family) { measured in
            let session = try measured.summary.session
            let local = measured.log.session(session)
            let reflected = measured.peerLog.session(session)
            for (rows, others) in [(local.probes, reflected.probes), (local.replies, reflected.replies)] {
                #expect(try others.count == measured.sent)
                let others = others.bySequence
                for row in rows {
                    let other = try #require(others[row.sequence], "no row of \(row.packet) \(row.sequence)")
                    #expect(other.direction == (row.packet == .probe ? .in : .out))
                    #expect(other.replySequence == row.replySequence)
                    #expect(other.transmitApp == row.transmitApp)
                    #expect(other.transmitSched == row.transmitSched)
                    #expect(other.transmitSoftware == row.transmitSoftware)
                    #expect(other.receiveSoftware == row.receiveSoftware)
                    #expect(other.receiveApp == row.receiveApp)
                    #expect(other.delay == row.delay)
                    #expect(other.bytes == row.bytes)
                }
            }
        }
    }

    @Test func `The sender reports how late its sends were`() async throws {
        try await measure { measured in
            let lateness = ["p50", "p99", "p99_9", "max"].map { measured.summary["send_lateness.\($0)_ns"] }
            try #require(lateness.allSatisfy { $0 != nil })
            #expect(lateness.compactMap { $0 } == lateness.compactMap { $0 }.sorted())
        }
    }
}
