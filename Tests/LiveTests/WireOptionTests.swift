import Report
import Testing

/// Tests the options' effect on the wire, as captured by an independent packet socket and as logged by the other side.
@Suite(.serialized, .needsRoot)
struct WireOptionTests {
    private struct Measured {
        let local: Log
        /// The other side's rows of the same session.
        let reflected: Log
        /// The frames that arrived at the reflector's and at the sender's interface.
        let probes: [WireFrame]
        let replies: [WireFrame]
    }

    private static let count = 50

    private func measure(
        _ family: Lab.Family, _ options: [String], _ body: (Measured) throws -> Void
    ) async throws {
        try await Lab.with { lab in
            let peer = try await lab.startReflect(.b, ["--log", lab.log(.b)])
            let captures = (a: try Capture(lab, .a), b: try Capture(lab, .b))
            let summary = try await lab.startRun(
                .a, family, ["--rate", "200", "--count", "\(Self.count)"] + options
            ).summary()
            peer.signal(2)
            #expect(try await peer.exit() == 0)
            let session = try summary.session
            let measured = Measured(
                local: try Log(lab.log(.a)), reflected: try Log(lab.log(.b)).session(session),
                probes: captures.b.end().of(.probe, outgoing: false).map(\.frame),
                replies: captures.a.end().of(.reply, outgoing: false).map(\.frame))
            let sent = try #require(summary["counters.sent"])
            try #require(sent > 0)
            try #require(measured.probes.count >= sent)
            try #require(measured.replies.count >= sent)
            try #require(measured.reflected.probes.count == sent)
            try #require(measured.reflected.replies.count == sent)
            try body(measured)
        }
    }

    @Test(arguments: [Lab.Family.ipv4, .ipv6])
    func `--size is the exact size of the UDP payload of probes and replies`(family: Lab.Family) async throws {
        for size in [364, 1452] {
            try await measure(family, ["--size", "\(size)"]) { measured in
                #expect(measured.probes.allSatisfy { $0.payloadLength == size })
                #expect(measured.replies.allSatisfy { $0.payloadLength == size })
                for row in measured.local.rows + measured.reflected.rows {
                    #expect(Int(row.bytes) == size + family.headers)
                }
            }
        }
    }

    @Test(arguments: [Lab.Family.ipv4, .ipv6]) func `--dscp marks the probes and, as requested, the replies`(
        family: Lab.Family
    ) async throws {
        try await measure(family, ["--dscp", "46"]) { measured in
            #expect(measured.probes.allSatisfy { $0.dscp == 46 })
            #expect(measured.replies.allSatisfy { $0.dscp == 46 })
            #expect(measured.local.rows.allSatisfy { $0.dscp == 46 })
            #expect(measured.reflected.rows.allSatisfy { $0.dscp == 46 })
        }
    }

    @Test(arguments: [Lab.Family.ipv4, .ipv6]) func `Without --dscp no packet is marked`(family: Lab.Family)
        async throws
    {
        try await measure(family, []) { measured in
            #expect(measured.probes.allSatisfy { $0.dscp == 0 })
            #expect(measured.replies.allSatisfy { $0.dscp == 0 })
            #expect(measured.local.rows.allSatisfy { $0.dscp == 0 })
        }
    }

    @Test(arguments: [Lab.Family.ipv4, .ipv6])
    func `--ttl sets the probes' hop limit, and the reflector's rows have it as received`(family: Lab.Family)
        async throws
    {
        try await measure(family, ["--ttl", "7"]) { measured in
            #expect(measured.probes.allSatisfy { $0.hopLimit == 7 })
            #expect(measured.replies.allSatisfy { $0.hopLimit == 255 })
            #expect(measured.local.probes.allSatisfy { $0.ttl == 7 })
            #expect(measured.local.replies.allSatisfy { $0.ttl == 255 })
            #expect(measured.reflected.probes.allSatisfy { $0.ttl == 7 })
        }
    }

    @Test func `--port is the reflector's port, and the sender's port is dynamic`() async throws {
        try await Lab.with { lab in
            let capture = try Capture(lab, .b, port: 8620)
            let options = ["--rate", "200", "--count", "\(Self.count)", "--port", "8620"]
            let summaries = try await lab.runPair(a: options, b: options)
            let packets = capture.end()
            let arrived = packets.of(.probe, outgoing: false)
            #expect(arrived.count >= (try #require(summaries.a["counters.sent"])))
            #expect(!arrived.isEmpty)
            #expect(arrived.allSatisfy { $0.frame.destinationPort == 8620 && $0.frame.sourcePort >= 49152 })
            #expect(packets.of(.reply, outgoing: true).allSatisfy { $0.frame.sourcePort == 8620 })
        }
    }

    @Test(arguments: [Lab.Family.ipv4, .ipv6]) func `The kernel sends no ICMP error about a probe or reply`(
        family: Lab.Family
    ) async throws {
        try await Lab.with { lab in
            _ = try await lab.startReflect(.b)
            let before = (a: try Self.icmpSent(lab, .a), b: try Self.icmpSent(lab, .b))
            let run = try lab.startRun(.a, family, ["--rate", "500"])
            try await run.waitForRows(2 * Self.count, in: lab.log(.a))
            // Read while both run: once a port is closed, the kernel does send ICMP errors.
            #expect(try Self.icmpSent(lab, .a) == before.a)
            #expect(try Self.icmpSent(lab, .b) == before.b)
        }
    }

    /// The number of "destination unreachable" messages that a side's kernel has sent, for IPv6 and IPv4.
    private static func icmpSent(_ lab: Lab, _ side: Lab.Side) throws -> [String] {
        let v6 = try lab.run(side, ["cat", "/proc/net/snmp6"]).split(separator: "\n")
            .filter { $0.hasPrefix("Icmp6OutDestUnreachs") }
        let v4 = try lab.run(side, ["cat", "/proc/net/snmp"]).split(separator: "\n").filter { $0.hasPrefix("Icmp:") }
        try #require(v6.count == 1 && v4.count == 2)
        let column = try #require(v4[0].split(separator: " ").firstIndex(of: "OutDestUnreachs"))
        return [String(v6[0]), String(v4[1].split(separator: " ")[column])]
    }
}
