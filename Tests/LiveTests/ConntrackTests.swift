import Foundation
import Glibc
import LinuxKernel
import Testing

/// Tests `probe conntrack` on a router that translates addresses.
@Suite(.needsRoot) struct ConntrackTests {
    // MARK: - Listing

    @Test(arguments: [
        ("", ""), ("--family --id", "-o extended,id"), ("--times", "-o ktimestamp"),
        ("--protocol udp --port 7 --translated", "-p udp --orig-port-dst 7 -n"),
    ])
    func `It lists what conntrack(8) lists, line by line`(options: String, reference: String) async throws {
        try await RouterLab.with { lab in
            _ = try await lab.traffic()
            // Timeouts and ages are whole seconds, and the two commands ask at different times: once, they must agree.
            var (listed, expected): ([Substring], [Substring]) = ([], [])
            for _ in 0..<20 {
                let process = try await lab.conntrack(options)
                #expect(process.exitCode == 0 && process.errors.isEmpty, "\(process.errors)")
                listed = process.lines.sorted()
                let text = try ["ipv4", "ipv6"].map {
                    try lab.shell(.router, "conntrack -L -f \($0) \(reference) 2>/dev/null")
                }
                // Without a filter conntrack lists both families, whichever is requested.
                expected = Set(text.joined().split(separator: "\n")).sorted()
                if listed == expected { break }
            }
            #expect(listed == expected)
            #expect(options.contains("translated") ? listed.count == 4 : listed.count >= 10, "\(listed)")
        }
    }

    @Test func `JSON and CSV report which end is translated, and to which address`() async throws {
        try await RouterLab.with { lab in
            _ = try await lab.traffic()
            let json = try await lab.conntrack("--port 4003 --address 10.0.0.0/24 --output json")
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any], "\(json.output)")
            #expect(object["type"] as? String == "flow" && object["protocol"] as? String == "udp")
            #expect(object["translated"] as? [String] == ["source", "destination"])
            let reply = try #require(object["reply"] as? [String: Any])
            #expect(reply["source"] as? String == "192.0.2.2" && reply["destination"] as? String == "192.0.2.1")
            #expect(reply["packets"] as? Int == 1 && reply["bytes"] as? Int == 48)
            let start = try #require(object["start_ns"] as? Int64)
            #expect(abs(ClockID.realtime.now() - start) < 60_000_000_000)

            let csv = try await lab.conntrack("list --port 4003 --address 10.0.0.2 --output csv")
            let rows = csv.lines.map { $0.split(separator: ",", omittingEmptySubsequences: false) }
            #expect(rows.count == 2 && rows.allSatisfy { $0.count == rows[0].count })
            let row = Dictionary(zip(rows[0], rows[1])) { first, _ in first }
            #expect(row["translated"] == "source+destination" && row["reply_destination"] == "192.0.2.1")
            #expect(row["source_port"] == "4003" && row["zone"] == "" && row["event"] == "")
        }
    }

    @Test func `It ends without an error when its reader closes the pipe`() async throws {
        try await RouterLab.with { lab in
            _ = try await lab.traffic()
            let shell = try lab.start(
                .router, ["bash", "-c", "\(ProbeProcess.binary) conntrack | true; exit ${PIPESTATUS[0]}"])
            #expect(try await shell.exit() == 0)
            #expect(shell.errors.isEmpty, "\(shell.errors)")
        }
    }

    // MARK: - One flow

    @Test func `A flow is found from either side of the translation, and deleted once`() async throws {
        try await RouterLab.with { lab in
            _ = try await lab.traffic()
            for ends in [
                "10.0.0.2:4003 198.51.100.1:7", "198.51.100.1:7 10.0.0.2:4003", "192.0.2.1:4003 192.0.2.2:7",
                "192.0.2.2:7 192.0.2.1:4003",
            ] {
                let get = try await lab.conntrack("get udp \(ends) --id")
                #expect(get.exitCode == 0 && get.lines.count == 1, "\(ends): \(get.errors)")
                #expect(get.output.contains("src=10.0.0.2 dst=198.51.100.1 sport=4003 dport=7 "), "\(get.output)")
            }
            #expect(try await lab.conntrack("get tcp [fd00::2]:4005 [2001:db8:9::1]:80").exitCode == 0)
            #expect(try await lab.conntrack("get icmp 10.0.0.2 192.0.2.2 --icmp 8/0/4660").exitCode == 0)
            let quiet = try await lab.conntrack("get udp 10.0.0.2:4003 198.51.100.1:7 --quiet")
            #expect(quiet.exitCode == 0 && quiet.output.isEmpty)

            let none = try await lab.conntrack("get tcp 10.0.0.2:4003 198.51.100.1:7")
            #expect(none.exitCode == 9 && none.output.isEmpty && none.errors.contains("No such flow"))

            let count = try lab.shell(.router, "conntrack -C")
            let delete = try await lab.conntrack("delete udp 192.0.2.1:4003 192.0.2.2:7")
            #expect(delete.exitCode == 0 && delete.output.contains("sport=4003"))
            #expect(try await lab.conntrack("delete udp 192.0.2.1:4003 192.0.2.2:7").exitCode == 9)
            // No other flow was deleted.
            let left = try lab.shell(.router, "conntrack -C")
            #expect(Int(left.dropLast()) == Int(count.dropLast()).map { $0 - 1 })
        }
    }

    // MARK: - Count and privileges

    @Test func `Without privileges it reports the count, and names the missing capability for everything else`()
        async throws
    {
        try await RouterLab.with { lab in
            _ = try await lab.traffic()
            func unprivileged(_ arguments: String) async throws -> ProbeProcess {
                let process = try lab.start(
                    .router,
                    ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
                        + [ProbeProcess.binary, "conntrack"] + arguments.split(separator: " ").map(String.init))
                _ = try await process.exit()
                return process
            }
            let count = try await lab.conntrack("count --output json")
            #expect(count.output.contains(#/{"type":"count","flows":1\d,"limit":\d+}/#), "\(count.output)")
            let same = try await unprivileged("count --output json")
            #expect(same.exitCode == 0 && same.output == count.output)
            for arguments in ["", "follow", "get udp 10.0.0.2:1 10.0.0.3:2", "delete udp 10.0.0.2:1 10.0.0.3:2"] {
                let denied = try await unprivileged(arguments)
                #expect(denied.exitCode == 5 && denied.output.isEmpty, "\(arguments): \(denied.errors)")
                #expect(denied.errors.contains("CAP_NET_ADMIN") && denied.errors.contains("conntrack count"))
            }
        }
    }

    @Test func `--namespace reads another namespace, and a missing one is an error`() async throws {
        try await RouterLab.with { lab in
            _ = try await lab.traffic()
            let binary = ProbeProcess.binary
            let there = try lab.start(
                .client, [binary, "conntrack", "--namespace", lab.namespace(.router), "--translated"])
            #expect(try await there.exit() == 0)
            #expect(there.lines.count >= 8)
            let none = try lab.start(.client, [binary, "conntrack", "--namespace", "nosuch"])
            #expect(try await none.exit() == 1)
            #expect(none.errors.contains("`ip netns list`"), "\(none.errors)")
        }
    }

    // MARK: - Following

    /// Waits until `count` sockets have joined the multicast groups: /proc/net/netlink lists NETLINK_NETFILTER (12).
    private func waitUntilListening(_ lab: RouterLab, _ count: Int, _ process: ProbeProcess) async throws {
        try await waitFor("\(count) listeners; \(process.errors)", within: 20) {
            let sockets = try lab.shell(.router, "cat /proc/net/netlink").split(separator: "\n")
            let listening = sockets.count { line in
                let fields = line.split(separator: " ")
                return fields.count > 3 && fields[1] == "12" && fields[3] == "00000007"
            }
            return listening >= count ? () : nil
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `It follows events as conntrack(8) does, and a signal ends it with a summary`(
        signal: Int32
    ) async throws {
        try await RouterLab.with { lab in
            let process = try lab.startConntrack("follow --id")
            let reference = try lab.start(.router, ["conntrack", "-E", "-o", "id"])
            try await waitUntilListening(lab, 2, process)
            _ = try await lab.traffic()
            try lab.shell(.router, "conntrack -D -p udp -s 10.0.0.2 --orig-port-src 4003 >/dev/null 2>&1")
            let last = try await waitFor("the last event; \(process.output)", within: 20) {
                process.lines.last { $0.hasPrefix("[DESTROY]") && $0.contains("sport=4003") }
            }
            #expect(last.contains("dst=198.51.100.1"))
            _ = try await waitFor("conntrack's lines", within: 20) {
                reference.lines.count == process.lines.count ? () : nil
            }
            // conntrack also prints the process that caused an event.
            #expect(process.lines == reference.lines.map { $0.prefixMatch(of: #/.* id=\d+/#)?.output ?? $0 })
            #expect(Set(process.lines.map { $0.prefix(10) }) == ["    [NEW] ", " [UPDATE] ", "[DESTROY] "])
            process.signal(signal)
            #expect(try await process.exit() == 0)
            let count = process.lines.count
            #expect(
                process.errors == "probe: \(count) events: \(count) received; \(count) shown.\n", "\(process.errors)")
        }
    }

    @Test func `Filters apply to events, and --count and --duration end it`() async throws {
        try await RouterLab.with { lab in
            let counted = try lab.startConntrack("follow --protocol tcp --translated --count 3 --output json")
            try await waitUntilListening(lab, 1, counted)
            _ = try await lab.traffic()
            #expect(try await counted.exit() == 0)
            let objects = try counted.lines.map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(objects.count == 4)
            #expect(objects.dropLast().allSatisfy { $0["protocol"] as? String == "tcp" && $0["event"] is String })
            let summary = try #require(objects.last)
            #expect(summary["type"] as? String == "summary" && summary["shown"] as? Int == 3)
            #expect(summary["events"] as? Int ?? 0 > 3 && summary["lost"] as? Int == 0)

            let start = ContinuousClock.now
            #expect(try await lab.conntrack("follow --duration 300ms").exitCode == 0)
            #expect((.milliseconds(300)...(.seconds(10))).contains(ContinuousClock.now - start))
        }
    }

    @Test func `--all-namespaces reports each event's namespace by its ID`() async throws {
        try await RouterLab.with { lab in
            try lab.shell(.router, "sysctl -qw net.netfilter.nf_conntrack_events=1")
            // The veth pair has assigned it an ID.
            let numbers = try Command.run(["ip", "-n", lab.namespace(.client), "netns", "list-id"])
            let number = try #require(numbers.firstMatch(of: #/nsid (\d+)/#)?.output.1, "\(numbers)")
            let process = try lab.start(
                .client,
                [ProbeProcess.binary, "conntrack", "follow", "--all-namespaces", "--port", "4005", "--count", "2"])
            try await waitFor("the listener; \(process.errors)", within: 20) {
                try lab.shell(.client, "cat /proc/net/netlink").contains(" 00000007 ") ? () : nil
            }
            _ = try await lab.traffic()
            #expect(try await process.exit() == 0)
            #expect(
                process.lines.count == 2 && process.lines.allSatisfy { $0.hasSuffix(" nsid=\(number)") },
                "\(process.output)")
        }
    }

    @Test func `A reader that never reads delays no signal, and events that it missed are counted`() async throws {
        try await RouterLab.with { lab in
            let pipe = lab.file("pipe")
            try Command.run(["mkfifo", pipe])
            // It keeps the pipe open, reads nothing from it, and runs until the lab ends it.
            _ = try lab.start(.router, ["sh", "-c", "exec tail -f /dev/null <\(pipe)"])
            let process = try lab.start(
                .router, ["sh", "-c", "exec \(ProbeProcess.binary) conntrack follow >\(pipe)"])
            try await waitUntilListening(lab, 1, process)
            try makeFlows(lab, 10_000)
            process.signal(SIGINT)
            #expect(try await process.exit(within: 20) == 0)
            #expect(process.errors.contains("10000 events: "), "\(process.errors)")
        }
    }

    /// Creates `count` flows: UDP packets from one socket, each to another destination.
    private func makeFlows(_ lab: RouterLab, _ count: Int) throws {
        try lab.shell(
            .router,
            """
            nft add rule inet t in ct state new accept
            nft add chain inet t quiet '{ type filter hook input priority 0; }'
            nft add rule inet t quiet udp dport 1000-50999 drop
            python3 - <<'END'
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for i in range(\(count)): s.sendto(b'x', ('127.0.0.%d' % (1 + i // 50000), 1000 + i % 50000))
            END
            """)
    }

    @Test(arguments: [0, 5000]) func `In an event storm, every event is counted as shown, lost or left out`(limit: Int)
        async throws
    {
        try await RouterLab.with { lab in
            let process = try lab.startConntrack("follow --output json --limit \(limit)")
            try await waitUntilListening(lab, 1, process)
            let flows = 60_000
            try makeFlows(lab, flows)
            let made = try lab.shell(.router, "conntrack -C").dropLast()
            #expect(Int(made) == flows)
            process.signal(SIGINT)
            #expect(try await process.exit(within: 60) == 0)
            let last = try #require(process.lines.last)
            let summary = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
            let number = summary.compactMapValues { $0 as? Int }
            #expect(number["events"] == flows, "\(last)")
            #expect(number["shown"] == process.lines.count - 1 && number["malformed"] == 0)
            #expect((number["left_out"] ?? 0 > 0) == (limit > 0), "\(last)")
            #expect(process.errors.contains("exceed --limit") == (limit > 0), "\(process.errors)")
        }
    }
}
