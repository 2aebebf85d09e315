import Report
import Testing

/// Compares the log's timestamps with those of an independent packet socket that captured the same frames.
@Suite(.serialized, .needsRoot)
struct IndependentStampTests {
    private struct Measured {
        let log: Log
        let a: [Capture.Packet]
        let b: [Capture.Packet]
    }

    private func measure(_ family: Lab.Family, _ body: (Measured) throws -> Void) async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflect(.b)
            let captures = (a: try Capture(lab, .a), b: try Capture(lab, .b))
            let summary = try await lab.startRun(.a, family, ["--rate", "500", "--count", "200"]).summary()
            reflector.signal(2)
            #expect(try await reflector.exit() == 0)
            let measured = Measured(log: try Log(lab.log(.a)), a: captures.a.end(), b: captures.b.end())
            try #require(!measured.log.rows.isEmpty)
            #expect(measured.log.rows.count == (summary["counters.sent"] ?? 0) * 2)
            try body(measured)
        }
    }

    @Test(arguments: Lab.Family.allCases) func `A receive timestamp equals another socket's, to the nanosecond`(
        family: Lab.Family
    ) async throws {
        try await measure(family) { measured in
            let probes = measured.b.of(.probe, outgoing: false).bySequence
            let replies = measured.a.of(.reply, outgoing: false).bySequence
            for row in measured.log.rows {
                let packet = try #require((row.packet == .probe ? probes : replies)[row.sequence])
                #expect(row.receiveSoftware == packet.stamp, "\(row.packet) \(row.sequence)")
            }
        }
    }

    /// The kernel timestamps an outgoing frame for other sockets (dev_queue_xmit_nit) after it leaves the queueing
    /// discipline and before the driver receives it: net/core/dev.c, xmit_one.
    @Test(arguments: Lab.Family.allCases) func `Another socket's transmit timestamp lies between SCHED and driver`(
        family: Lab.Family
    ) async throws {
        try await measure(family) { measured in
            let probes = measured.a.of(.probe, outgoing: true).bySequence
            let replies = measured.b.of(.reply, outgoing: true).bySequence
            for row in measured.log.rows {
                let packet = try #require((row.packet == .probe ? probes : replies)[row.sequence])
                let sched = try #require(row.transmitSched)
                let driver = try #require(row.transmitSoftware)
                #expect(sched <= packet.stamp && packet.stamp <= driver, "\(row.packet) \(row.sequence)")
            }
        }
    }

    @Test(arguments: Lab.Family.allCases) func `The logged size of a packet is the size of its frame on the wire`(
        family: Lab.Family
    ) async throws {
        try await measure(family) { measured in
            let probes = measured.b.of(.probe, outgoing: false).bySequence
            let replies = measured.a.of(.reply, outgoing: false).bySequence
            for row in measured.log.rows {
                let packet = try #require((row.packet == .probe ? probes : replies)[row.sequence])
                #expect(Int(row.bytes) == packet.length)
                #expect(packet.length == family.headers + packet.frame.payloadLength)
            }
        }
    }
}
