import Foundation
import Glibc
import Testing

/// Tests `probe doctor` on veth pairs: its findings, the frames that it sends, and the state that it restores.
@Suite(.serialized, .needsRoot)
struct DoctorTests {
    private func doctor(_ lab: Lab, _ more: String..., on interface: String = Lab.interface) throws -> ProbeProcess {
        try lab.start(.a, ["doctor", interface] + more)
    }

    /// Replaces each number and each MAC address with "N".
    private func masked(_ text: String) -> String {
        text.replacing(#/([0-9a-f]{2}:){5}[0-9a-f]{2}/#, with: "N").replacing(#/[0-9]+/#, with: "N")
    }

    @Test func `A veth has software timestamps only and no PHC, and a peer proves all of them`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflect(.b)
            let process = try doctor(lab, "--peer", Lab.ipv4(.b))
            #expect(try await process.exit() == 0, "\(process.errors)")
            let text = try #require(process.output.firstRange(of: "\(Lab.interface): "))
            let expected = """
                probeN: software timestamps only, no PHC
                  link          up, MTU N, N
                  driver        veth N.N
                  rings         not reported
                  queueing      noqueue
                  timestamping  no hardware timestamping
                  clock         none
                  missed        the driver does not count missed timestamps
                  advertised    software-transmit, software-receive, software-system-clock
                """
            let actual = masked(String(process.output[text.lowerBound...]))
            #expect(actual.hasPrefix(expected), "\(actual)")
            #expect(process.output.contains(#/SCHED .* 16 of 16\n/#) && process.output.contains(#/TX .* 16 of 16\n/#))
            // The second column's width depends on whether the kernel accepts IDs.
            for row in [
                #/SCHED +by the kernel +proven, /#, #/software TX +yes +proven, /#, #/software RX +yes +proven, /#,
                #/hardware TX, ordinary frames +no +not advertised/#, #/hardware TX, PTP frames +no +not advertised/#,
                #/hardware RX, ordinary frames +no +not advertised/#, #/hardware RX, PTP frames +no +not advertised/#,
            ] {
                #expect(process.output.contains(row), "\(process.output)")
            }
            #expect(process.output.contains("failed: ignored by noqueue"))
            #expect(process.output.contains("remedy: `tc qdisc replace dev probe0 root fq`"))
            reflector.signal(SIGTERM)
            #expect(try await reflector.exit() == 0)
        }
    }

    @Test func `Without a name it examines all Ethernet interfaces that are up, and JSON has each verdict`()
        async throws
    {
        try await Lab.with { lab in
            try lab.ip(.a, "link add down0 type veth peer name down1")
            let process = try lab.start(.a, ["doctor", "--json"])
            #expect(try await process.exit() == 0, "\(process.errors)")
            let parsed = try JSONSerialization.jsonObject(with: Data(process.output.utf8))
            let interfaces = try #require((parsed as? [String: Any])?["interfaces"] as? [[String: Any]])
            #expect(interfaces.map { $0["interface"] as? String } == [Lab.interface])
            let table = try #require(interfaces[0]["capabilities"] as? [String: [String: Any]])
            let verdicts = table.mapValues { $0["verdict"] as? String }
            #expect(verdicts["sched"] == "proven" && verdicts["software_tx"] == "proven" && verdicts["ids"] == "proven")
            #expect(verdicts["hardware_tx"] == "not_advertised" && verdicts["launch_time"] == "did_not_come")
            // The other side's kernel may or may not have reported its IPv6 groups (MLDv2) within that second.
            let reason = table["software_rx"]?["reason"] as? String ?? ""
            #expect(verdicts["software_rx"] == "proven" || reason.contains("use --peer"))
        }
    }

    @Test func `Two doctors at once prove each other's receive timestamps`() async throws {
        try await Lab.with { lab in
            let (a, b) = (try doctor(lab), try lab.start(.b, ["doctor", Lab.interface]))
            #expect(try await a.exit() == 0)
            #expect(try await b.exit() == 0)
            for process in [a, b] {
                #expect(process.output.contains(#/software RX +yes +proven/#), "\(process.output)")
            }
        }
    }

    @Test func `It sends the frames that its help documents, and no others`() async throws {
        try await Lab.with { lab in
            let capture = try RawSocket(namespace: lab.namespace(.b), interface: Lab.interface)
            #expect(try await doctor(lab).exit() == 0)
            var frames: [[UInt8]] = []
            while let received = capture.receive() { frames.append(received.bytes) }
            let local = Array(Lab.mac(.a).split(separator: ":").compactMap { UInt8($0, radix: 16) })
            let experimental = frames.filter { $0[12..<14] == [0x88, 0xB5] }
            let ptp = frames.filter { $0[12..<14] == [0x88, 0xF7] }
            #expect(experimental.count == 9 && experimental.allSatisfy { $0[..<6] == local[...] })
            #expect(ptp.count == 4 && ptp.allSatisfy { $0[..<6] == [0x01, 0x80, 0xC2, 0, 0, 0x0E] && $0[14] == 0 })
            #expect((experimental + ptp).allSatisfy { $0[6..<12] == local[...] && $0.count == 60 })
            // The kernel reports its IPv6 groups (MLDv2) by itself, some time after an address was added.
            let others = frames.count { $0[12..<14] != [0x86, 0xDD] || $0[20] != 0 }
            #expect(others == 13, "\(frames.map { $0[12..<24] })")
        }
    }

    // MARK: - Errors

    @Test func `Without privileges it reports the advertised timestamps, tries none, and exits with 5`() async throws {
        try await Lab.with { lab in
            let process = try lab.start(
                .a,
                program: ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
                    + [ProbeProcess.binary, "doctor", Lab.interface])
            #expect(try await process.exit() == 5)
            #expect(process.errors.contains("CAP_NET_RAW"))
            #expect(process.output.contains(#/SCHED +by the kernel +not tried: CAP_NET_RAW is missing/#))
            #expect(process.output.contains(#/hardware RX, PTP frames +no +not advertised/#))
            #expect(!process.output.contains("proven, "))
            #expect(process.output.contains("remedy: Run as root, or grant it with `setcap cap_net_raw+ep`"))
        }
    }

    @Test func `CAP_NET_RAW alone suffices to prove software timestamps`() async throws {
        try await Lab.with { lab in
            let process = try lab.start(
                .a,
                program: ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all,+net_raw"]
                    + ["--ambient-caps=-all,+net_raw", ProbeProcess.binary, "doctor", Lab.interface])
            #expect(try await process.exit() == 0, "\(process.errors)")
            #expect(process.output.contains(#/SCHED +by the kernel +proven, 12 of 12/#))
            #expect(process.output.contains("CAP_NET_ADMIN missing"))
        }
    }

    @Test func `An unknown interface, or none that is up, exits with 3 and a remedy`() async throws {
        try await Lab.with { lab in
            let unknown = try doctor(lab, on: "nosuch")
            #expect(try await unknown.exit() == 3)
            #expect(unknown.errors.contains("`ip link`") && unknown.output.isEmpty)
            try lab.ip(.a, "link set probe0 down")
            let none = try lab.start(.a, ["doctor"])
            #expect(try await none.exit() == 3)
            #expect(none.errors.contains("No Ethernet interface is up") && none.output.isEmpty)
        }
    }

    @Test(arguments: [Lab.Side.a, .b])
    func `An interface that is down or has no carrier is reported, not tried, and exits with 3`(side: Lab.Side)
        async throws
    {
        try await Lab.with { lab in
            try lab.ip(side, "link set probe0 down")
            let process = try doctor(lab)
            #expect(try await process.exit() == 3)
            let reason = side == .a ? "it is down" : "it has no carrier"
            #expect(process.output.contains("not tried: \(reason)") && !process.output.contains("proven, "))
            #expect(process.output.contains("  problem: probe0: "))
        }
    }

    @Test func `A peer that does not answer is a finding, and exits with 2`() async throws {
        try await Lab.with { lab in
            let process = try doctor(lab, "--peer", Lab.ipv6(.b))
            #expect(try await process.exit() == 2)
            #expect(process.output.contains("The peer answered none of 4 STAMP probes."))
            #expect(process.output.contains(#/SCHED +by the kernel +proven, 16 of 16/#))
        }
    }

    @Test func `A peer without a route exits with 4 before anything is sent`() async throws {
        try await Lab.with { lab in
            let process = try doctor(lab, "--peer", "203.0.113.9")
            #expect(try await process.exit() == 4)
            #expect(process.errors.contains("no route") && process.output.isEmpty)
        }
    }

    /// Waits until the doctor has opened its packet sockets.
    private func waitUntilTrying(_ lab: Lab, _ process: ProbeProcess) async throws {
        try await waitFor("packet sockets; \(process.errors)", within: 10) {
            try lab.run(.a, ["cat", "/proc/net/packet"]).split(separator: "\n").count > 2 ? () : nil
        }
    }

    @Test func `An interface deleted while it runs exits with 3, and findings until then are reported`()
        async throws
    {
        try await Lab.with { lab in
            let process = try doctor(lab)
            try await waitUntilTrying(lab, process)
            try lab.ip(.a, "link del probe0")
            #expect(try await process.exit() == 3)
            #expect(process.output.contains("The trial ended early"), "\(process.output)")
        }
    }

    // MARK: - Restoring

    /// All state that a doctor could change.
    private func state(_ lab: Lab) throws -> [String] {
        try [
            ["ip", "-d", "link"], ["ip", "address"], ["ip", "maddress"], ["ip", "neigh"], ["tc", "qdisc"],
            ["cat", "/proc/net/packet", "/proc/net/udp", "/proc/net/udp6"],
            ["sh", "-c", "grep -rs '' /proc/sys/net | grep -v conntrack_count || true"],
        ].map { try lab.run(.a, $0) }
    }

    enum End: String, CaseIterable, Sendable { case byItself, interrupt, terminate, hangUp }

    @Test(arguments: End.allCases)
    func `It restores the interface, and after a signal it still reports its findings`(end: End) async throws {
        try await Lab.with(neighbours: .resolved) { lab in
            _ = try await lab.startReflect(.b)
            let before = try state(lab)
            let process = try doctor(lab, "--peer", Lab.ipv4(.b))
            try await waitUntilTrying(lab, process)
            // While it tries, the interface is a member of PTP's multicast group.
            let groups = try lab.ip(.a, "maddress show dev probe0")
            #expect(groups.contains("01:80:c2:00:00:0e"), "\(groups)")
            switch end {
            case .byItself: break
            case .interrupt: process.signal(SIGINT)
            case .terminate: process.signal(SIGTERM)
            case .hangUp: process.signal(SIGHUP)
            }
            #expect(try await process.exit() == 0, "\(process.errors)")
            #expect(process.output.contains("not tried: interrupted") == (end != .byItself), "\(process.output)")
            #expect(try state(lab) == before)
        }
    }
}
