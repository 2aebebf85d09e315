import Foundation
import Glibc
import Report
import Testing

/// Tests the ordinary socket (`--transport udp`), and runs without privileges.
@Suite(.serialized, .needsRoot)
struct UDPTransportTests {
    /// The command line that runs the probe as user nobody, without capabilities.
    private func unprivileged(_ lab: Lab, _ arguments: [String]) throws -> [String] {
        let binary = lab.file("probe")
        if !FileManager.default.fileExists(atPath: binary) {
            // Another process copies it: a child that this process starts meanwhile would inherit the file open for
            // writing, and the kernel does not execute such a file (ETXTBSY, execve(2)).
            try Command.run(["cp", ProbeProcess.binary, binary])
            chmod(binary, 0o755)
            chmod(lab.folder.path, 0o755)
        }
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", binary]
            + arguments
    }

    private func run(_ side: Lab.Side, _ family: Lab.Family, _ more: [String]) -> [String] {
        ["run", "--interface", Lab.interface, "--peer", family.address(side.other), "--output", "json", "--quiet"]
            + more
    }

    @Test(arguments: Lab.Family.allCases)
    func `Two users without privileges measure each other, with kernel timestamps at both ends`(
        _ family: Lab.Family
    ) async throws {
        try await Lab.with { lab in
            let logs = lab.file("logs")
            try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
            chmod(logs, 0o777)
            let options = ["--transport", "udp", "--port", "8620", "--interval", "2ms", "--count", "200"]
            var processes: [ProbeProcess] = []
            for side in Lab.Side.allCases {
                let command = try unprivileged(
                    lab, run(side, family, options + ["--log", "\(logs)/\(side.rawValue).csv"]))
                processes.append(try lab.start(side, program: command))
            }
            for (side, process) in zip(Lab.Side.allCases, processes) {
                let summary = try await process.summary()
                let sent = try #require(summary["counters.sent"])
                #expect(sent + (summary["counters.skipped_deadlines"] ?? 0) == 200)
                #expect(summary["counters.received"] == sent)
                #expect(summary.value("stamps.balanced") as? Bool == true)
                let log = try Log("\(logs)/\(side.rawValue).csv")
                #expect(log.probes.count == sent && log.replies.count == sent)
                for row in log.rows {
                    let sent = try #require(row.transmitSoftware, "\(row)")
                    let received = try #require(row.receiveSoftware, "\(row)")
                    #expect(try #require(row.transmitApp) <= sent)
                    #expect(sent <= received)
                    #expect(row.ttl == 255)
                }
            }
        }
    }

    @Test func `Over an ordinary socket, probes and replies have the requested DSCP and TTL`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(["--transport", "udp", "--port", "8620"])
            let capture = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let run = try lab.startRun(
                .a, .ipv4,
                ["--transport", "udp", "--port", "8620", "--interval", "5ms", "--count", "20", "--dscp", "46"]
                    + ["--ttl", "17"])
            _ = try await run.summary()
            _ = try await lab.finish(reflector)
            var probes = 0
            var replies = 0
            while let received = capture.receive() {
                guard let frame = WireFrame(received.bytes, port: 8620) else { continue }
                #expect(frame.dscp == 46)
                #expect(frame.hopLimit == (frame.kind == .probe ? 17 : 255))
                if frame.kind == .probe { probes += 1 } else { replies += 1 }
            }
            #expect(probes > 0 && replies > 0)
        }
    }

    @Test func `Port 862 without CAP_NET_BIND_SERVICE exits with 5, and the message names a port that works`()
        async throws
    {
        try await Lab.with { lab in
            for command in [run(.a, .ipv4, []), ["reflect", "--interface", Lab.interface]] {
                for transport in ["udp", "packet"] {
                    let process = try lab.start(
                        .a, program: unprivileged(lab, command + ["--transport", transport]))
                    #expect(try await process.exit() == 5)
                    #expect(process.errors.contains("CAP_NET_BIND_SERVICE"))
                    #expect(process.errors.contains("--port 8620"))
                }
            }
        }
    }

    @Test func `A packet socket without CAP_NET_RAW exits with 5, and the message names the alternative`()
        async throws
    {
        try await Lab.with { lab in
            for command in [run(.a, .ipv4, []), ["reflect", "--interface", Lab.interface]] {
                let process = try lab.start(.a, program: unprivileged(lab, command + ["--port", "8620"]))
                #expect(try await process.exit() == 5)
                #expect(process.errors.contains("CAP_NET_RAW"))
                #expect(process.errors.contains("--transport udp"), "\(process.errors)")
            }
        }
    }
}
