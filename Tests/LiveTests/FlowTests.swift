import Foundation
import Testing

/// Tests the flow reports from connection tracking on the hosts, and in a namespace between them that translates
/// addresses.
@Suite(.serialized, .needsRoot)
struct FlowTests {
    private static let outside = "203.0.113.1"

    private struct Flow {
        let object: [String: Any]
        func text(_ key: String) -> String? { object[key] as? String }
        func flag(_ key: String) -> Bool { object[key] as? Bool ?? false }
        var namespace: Int? { object["namespace"] as? Int }
    }

    private func flows(_ summary: Summary, _ key: String) -> [Flow] {
        ((summary.value("flows.\(key)") as? [[String: Any]]) ?? []).map(Flow.init)
    }

    private func notes(_ summary: Summary) -> String {
        ((summary.value("flows.notes") as? [String]) ?? []).joined(separator: "\n")
    }

    /// Makes a namespace track what it receives and what its ordinary sockets send.
    private func track(_ namespace: String) throws {
        try Lab.nft(
            namespace,
            """
            table inet tracked {
                chain in { type filter hook input priority 0; ct state new counter; }
                chain out { type filter hook output priority 0; ct state new counter; }
            }
            """)
    }

    /// Translates the outside address to one of `b`'s (destination NAT).
    private func translate(_ lab: Lab, to address: String) throws {
        try Lab.nft(
            lab.middle,
            """
            table ip translated
            delete table ip translated
            table ip translated {
                chain pre { type nat hook prerouting priority -100; ip daddr \(Self.outside) dnat to \(address); }
            }
            """)
    }

    private func run(_ peer: String, _ more: [String]) -> [String] {
        ["run", "--interface", Lab.interface, "--peer", peer, "--output", "json", "--quiet"] + more
    }

    @Test func `A translation that changes mid-run is reported live, in the summary and in the log's description`()
        async throws
    {
        try await Lab.with(.router, neighbours: .resolved) { lab in
            try translate(lab, to: Lab.behindRouter[0])
            // By default a flow has events only if a socket listens in the namespace that tracks it.
            try Command.run(["ip", "netns", "exec", lab.middle, "sysctl", "-q", "net.netfilter.nf_conntrack_events=1"])
            let reflect = try lab.start(.b, ["reflect", "--interface", Lab.interface, "--output", "json", "--quiet"])
            try await reflect.waitForError("Answering")
            let log = lab.file("a.csv")
            let process = try lab.start(.a, run(Self.outside, ["--rate", "100", "--count", "400", "--log", log]))
            try await process.waitForRows(100, in: log)
            try translate(lab, to: Lab.behindRouter[1])
            try Command.run(["ip", "netns", "exec", lab.middle, "conntrack", "-F"])
            try await process.waitForError("The translation of")
            let summary = try await process.summary()

            // The run listened before its first packet left.
            #expect(flows(summary, "events").first?.text("event") == "new")
            let change = try #require(flows(summary, "events").first { $0.text("translated_before") != nil })
            #expect(change.namespace != nil)
            #expect(change.text("session") == "own")
            #expect(change.text("original")?.hasSuffix("> \(Self.outside):862") == true)
            #expect(change.text("translated_before")?.hasSuffix("> \(Lab.behindRouter[0]):862") == true)
            #expect(change.text("translated")?.hasSuffix("> \(Lab.behindRouter[1]):862") == true)
            #expect(process.errors.contains("It can explain a step in the delay"))
            // Before and after it packets came through.
            let received: Int = try #require(summary["counters.received"])
            #expect(received > 350)
            let description = try JSONSerialization.jsonObject(
                with: try #require(FileManager.default.contents(atPath: log + ".json")))
            let logged = ((description as? [String: Any])?["flows"] as? [String: Any])?["events"] as? [[String: Any]]
            #expect(logged?.contains { $0["translated_before"] is String } == true)
        }
    }

    @Test func `Packet-socket frames bypass local tracking, and a note says so`() async throws {
        try await Lab.with { lab in
            for side in Lab.Side.allCases { try track(lab.namespace(side)) }
            let reflect = try lab.start(.b, ["reflect", "--interface", Lab.interface, "--output", "json", "--quiet"])
            try await reflect.waitForError("Answering")
            let summary = try await lab.start(.a, run(Lab.ipv4(.b), ["--rate", "100", "--count", "50"])).summary()
            let local = flows(summary, "flows").filter { $0.text("session") == "own" && $0.namespace == nil }
            #expect(local.count == 1)
            // The first packet that this host tracked came from the peer.
            #expect(local.first?.text("original")?.hasPrefix("\(Lab.ipv4(.b)):862 > \(Lab.ipv4(.a)):") == true)
            #expect(local.first?.flag("confirmed") == true && local.first?.flag("replied") == false)
            #expect(local.first?.object["translated"] is NSNull)
            #expect(notes(summary).contains("bypass its connection tracking"))

            reflect.signal(SIGINT)
            let answered = try await reflect.summary()
            let flow = flows(answered, "flows").filter { $0.namespace == nil }
            #expect(flow.map { $0.text("session") } == ["answered"])
            #expect(flow.first?.text("original")?.hasSuffix("> \(Lab.ipv4(.b)):862") == true)
        }
    }

    @Test(arguments: Lab.Family.allCases) func `An ordinary socket's packets are tracked in both directions`(
        family: Lab.Family
    )
        async throws
    {
        try await Lab.with { lab in
            for side in Lab.Side.allCases { try track(lab.namespace(side)) }
            let options = ["--transport", "udp"]
            let reflect = try lab.start(
                .b, ["reflect", "--interface", Lab.interface, "--output", "json", "--quiet"] + options)
            try await reflect.waitForError("Answering")
            let summary = try await lab.start(
                .a, run(family.address(.b), ["--rate", "100", "--count", "50"] + options)
            ).summary()
            let local = flows(summary, "flows").filter { $0.text("session") == "own" && $0.namespace == nil }
            #expect(local.count == 1)
            #expect(local.first?.flag("confirmed") == true && local.first?.flag("replied") == true)
            #expect(flows(summary, "events").contains { $0.text("event") == "new" && !$0.flag("replied") })
            #expect(!notes(summary).contains("bypass its connection tracking"))
        }
    }

    @Test func `A run without a tracked flow says so`() async throws {
        try await Lab.with { lab in
            let reflect = try lab.start(.b, ["reflect", "--interface", Lab.interface, "--quiet"])
            try await reflect.waitForError("Answering")
            let process = try lab.start(
                .a,
                ["run", "--interface", Lab.interface, "--peer", Lab.ipv4(.b), "--rate", "100", "--count", "20"]
                    + ["--quiet"])
            #expect(try await process.exit() == 0)
            #expect(process.output.contains("conntrack: no flow of this run was tracked here."))
        }
    }

    @Test func `Without CAP_NET_ADMIN the run continues, and a note names the capability`() async throws {
        try await Lab.with { lab in
            let options = ["--port", "8620", "--transport", "udp"]
            let reflect = try lab.start(.b, ["reflect", "--interface", Lab.interface, "--quiet"] + options)
            try await reflect.waitForError("Answering")
            let command =
                ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", ProbeProcess.binary]
                + run(Lab.ipv4(.b), ["--rate", "100", "--count", "20"] + options)
            let summary = try await lab.start(.a, program: command).summary()
            #expect(summary.value("flows.watched") as? Bool == false)
            #expect(notes(summary).contains("CAP_NET_ADMIN"))
        }
    }
}
