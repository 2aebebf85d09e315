import Foundation
import Testing

/// Tests errors before the first packet: each has a message with a remedy, and the documented exit code.
@Suite(.serialized, .needsRoot)
struct RobustnessStartTests {
    /// Starts the probe, and expects an exit code, parts of its message, and no output.
    private func expect(
        _ lab: Lab, _ arguments: [String], exits code: Int32, saying parts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let process = try lab.start(.a, arguments)
        let actual = try await process.exit()
        #expect(actual == code, "\(process.errors)", sourceLocation: sourceLocation)
        for part in parts {
            #expect(
                process.errors.contains(part), "no \"\(part)\" in: \(process.errors)", sourceLocation: sourceLocation)
        }
        #expect(process.output.isEmpty, sourceLocation: sourceLocation)
    }

    private func run(_ more: String..., peer: String = Lab.ipv4(.b)) -> [String] {
        ["run", "--interface", Lab.interface, "--peer", peer, "--count", "3", "--interval", "10ms"] + more
    }

    @Test func `An unknown interface exits with 3, and the message names how to list them`() async throws {
        try await Lab.with { lab in
            for command in [["run", "--peer", Lab.ipv4(.b)], ["reflect"]] {
                try await expect(lab, command + ["--interface", "nosuch"], exits: 3, saying: ["ip link"])
            }
        }
    }

    @Test func `A peer without a route exits with 4, and the message names how to add one`() async throws {
        try await Lab.with { lab in
            try await expect(
                lab, run(peer: "203.0.113.9"), exits: 4, saying: ["no route to 203.0.113.9", "ip route add"])
            try await expect(
                lab, run(peer: "2001:db8::9"), exits: 4, saying: ["no route to 2001:db8::9", "ip -6 route add"])
        }
    }

    @Test func `A next hop that does not answer exits with 4, and the message names --mac`() async throws {
        try await Lab.with(neighbours: .resolved) { lab in
            try await expect(
                lab, run(peer: "192.0.2.77"), exits: 4, saying: ["no answer to ARP", "192.0.2.77", "--mac"])
            try await expect(
                lab, run(peer: "fd00:862::77"), exits: 4, saying: ["neighbour solicitation", "fd00:862::77", "--mac"])
        }
    }

    @Test func `--stamps hardware on a NIC without timestamps exits with 8, and leaves no log`() async throws {
        try await Lab.with { lab in
            let log = lab.file("none.csv")
            let hardware = ["--stamps", "hardware", "--log", log]
            let parts = ["probe0 has no hardware timestamps", "probe doctor probe0", "--stamps auto"]
            try await expect(lab, run() + hardware, exits: 8, saying: parts)
            try await expect(
                lab, ["reflect", "--interface", Lab.interface] + hardware, exits: 8, saying: parts)
            #expect(!FileManager.default.fileExists(atPath: log))
        }
    }

    @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/sys/module/psample"), "this kernel has psample"))
    func `--psample on a kernel without psample exits with 1, names the module, and leaves no log`() async throws {
        try await Lab.with { lab in
            let log = lab.file("none.csv")
            try await expect(
                lab, run("--psample", "5", "--log", log), exits: 1, saying: ["--psample", "modprobe psample"])
            #expect(!FileManager.default.fileExists(atPath: log))
        }
    }

    @Test func `An interface that is down exits with 3, and the message names how to bring it up`() async throws {
        try await Lab.with { lab in
            try lab.ip(.a, "link set probe0 down")
            let up = ["ip link set probe0 up"]
            try await expect(lab, run(), exits: 3, saying: up)
            try await expect(lab, run("--transport", "udp"), exits: 3, saying: up)
            try await expect(lab, ["reflect", "--interface", Lab.interface], exits: 3, saying: up)
        }
    }

    @Test func `A link without a carrier exits with 3`() async throws {
        try await Lab.with { lab in
            try lab.ip(.b, "link set probe0 down")
            try await expect(lab, run(), exits: 3, saying: ["no carrier"])
        }
    }

    @Test func `A local, multicast or broadcast address as the peer is rejected`() async throws {
        try await Lab.with { lab in
            try await expect(lab, run(peer: Lab.ipv4(.a)), exits: 64, saying: ["an address of this host"])
            try await expect(lab, run(peer: "224.0.0.1"), exits: 64, saying: ["unicast"])
            try await expect(lab, run(peer: "255.255.255.255"), exits: 64, saying: ["unicast"])
            try await expect(lab, run(peer: "ff02::1"), exits: 64, saying: ["unicast"])
        }
    }

    @Test func `A size that does not fit is rejected, and the message names the limit`() async throws {
        try await Lab.with { lab in
            try await expect(lab, run("--size", "315"), exits: 64, saying: ["at least 316"])
            try await expect(lab, run("--size", "316", "--dscp", "46"), exits: 64, saying: ["at least 324"])
            try await expect(lab, run("--size", "317"), exits: 64, saying: ["316 or 320"])
            try await expect(lab, run("--size", "1473"), exits: 64, saying: ["at most 1472"])
            try await expect(lab, run("--size", "1453", peer: Lab.ipv6(.b)), exits: 64, saying: ["at most 1452"])
            try lab.ip(.a, "route change 192.0.2.0/24 dev probe0 mtu 1000")
            try await expect(lab, run("--size", "973"), exits: 64, saying: ["at most 972"])
        }
    }

    @Test func `A port that is in use exits with 6, and the message names how to find its owner`() async throws {
        try await Lab.with { lab in
            let other = try UDPEndpoint(lab, .a, port: 862)
            #expect(try other.port == 862)
            for transport in ["packet", "udp"] {
                let options = ["--transport", transport]
                for command in [run(), ["reflect", "--interface", Lab.interface]] {
                    try await expect(lab, command + options, exits: 6, saying: ["862", "ss -lunp", "--port 8620"])
                }
            }
        }
    }

    @Test func `An existing file is kept without --force, and overwritten with it`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let (log, histogram) = (lab.file("old.csv"), lab.file("old-histogram.csv"))
            for (option, path) in [("--log", log), ("--histogram", histogram)] {
                try Data("kept".utf8).write(to: URL(fileURLWithPath: path))
                try await expect(lab, run(option, path), exits: 7, saying: [path, "--force"])
                #expect(FileManager.default.contents(atPath: path) == Data("kept".utf8))
            }
            let process = try lab.start(.a, run("--log", log, "--histogram", histogram, "--force", "--quiet"))
            #expect(try await process.exit() == 0)
            #expect(try Log(log).rows.count == 6)
            #expect(FileManager.default.contents(atPath: histogram)?.starts(with: Data("session,".utf8)) == true)
            _ = try await lab.finish(reflector)
        }
    }

    @Test func `A file that cannot be created exits with 7 before anything is sent`() async throws {
        try await Lab.with { lab in
            let path = lab.file("missing/log.csv")
            for option in ["--log", "--histogram"] {
                try await expect(lab, run(option, path), exits: 7, saying: [path, "No such file or directory"])
            }
            try await expect(lab, run("--log", lab.folder.path), exits: 7, saying: [lab.folder.path])
        }
    }

    @Test(arguments: [[], ["run"], ["reflect"]])
    func `Help starts with an example, and lists the exit codes`(_ command: [String]) async throws {
        try await Lab.with { lab in
            let process = try lab.start(.a, command + ["--help"])
            #expect(try await process.exit() == 0)
            let example = try #require(process.output.range(of: "EXAMPLE"))
            let options = try #require(process.output.range(of: "OPTIONS:"))
            #expect(example.lowerBound < options.lowerBound)
            #expect(process.output[example.upperBound...].prefix(80).contains("probe r"))
            #expect(process.output.contains("EXIT CODES"))
        }
    }

    @Test func `Invalid options exit with 64`() async throws {
        try await Lab.with { lab in
            for arguments in [
                ["run"], ["run", "--rate", "1e-300"] + run().dropFirst(), ["nosuch"], run("--dscp", "64"),
                run("--interval", "1e400"),
            ] {
                let code = try await lab.start(.a, arguments).exit()
                #expect(code == 64, "\(arguments)")
            }
        }
    }
}
