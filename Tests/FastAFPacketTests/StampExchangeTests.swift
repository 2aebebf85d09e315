import Testing

/// The example program `stamp-exchange`, run as users run it.
@Suite(.needsRoot, .vethPair)
struct StampExchangeTests {
    private func run(
        _ side: VethPair.Side, _ arguments: [String], before: [String] = []
    ) throws -> ExampleRun {
        try ExampleRun("stamp-exchange", side, ["--interface", VethPair.interfaceName] + arguments, before: before)
    }

    @Test(
        "Two instances print the timestamps of each other's probes with their delays, and end on Ctrl-C",
        arguments: [4, 6])
    func exchange(version: Int) throws {
        let address = version == 4 ? VethPair.ipv4 : VethPair.ipv6
        let left = try self.run(.left, ["--peer", address(.right), "--interval", "20"])
        let right = try self.run(.right, ["--peer", address(.left), "--interval", "20"])
        for run in [left, right] {
            let hasAll = eventually { run.packets("TX").count > 3 && run.packets("RX").count > 3 }
            #expect(hasAll, "\(run.lines) \(run.errors)")
        }
        for run in [left, right] {
            #expect(run.interrupt() == 0 && run.errors == "", "\(run.errors)")
            for line in run.packets("TX") {
                let delays = ["sched", "software"].compactMap { line[$0 + "_delay_ns"].flatMap(Int.init) }
                #expect(delays.count == 2 && delays[0] > 0 && delays[0] <= delays[1], "\(line)")
                #expect(line["hardware"] == "unsupported" && line["app_ns"] != nil)
            }
            // Only the first may have none: the kernel switches receive timestamps on in the background.
            let last = try #require(run.packets("RX").last)
            let delays = ["software", "app"].compactMap { last[$0 + "_delay_ns"].flatMap(Int.init) }
            #expect(delays.count == 2 && delays[0] > 0 && delays[0] <= delays[1], "\(last)")
            let sent = run.packets("TX").compactMap { $0["probe"].flatMap(Int.init) }
            #expect(sent.sorted() == Array(0..<sent.count))
            let account = run.lines.suffix(4)
            #expect(account.contains("software: timestamped \(sent.count) late 0 lost 0 skipped 0 unsupported 0"))
            #expect(account.contains("hardware: timestamped 0 late 0 lost 0 skipped 0 unsupported \(sent.count)"))
        }
    }

    @Test("The run ends at its count")
    func count() throws {
        let run = try self.run(.left, ["--peer", VethPair.ipv4(.right), "--interval", "5", "--count", "3"])
        #expect(run.exitCode() == 0, "\(run.errors)")
        #expect(run.packets("TX").map { $0["probe"] } == ["0", "1", "2"] && run.lines.contains("sent 3 received 0"))
    }

    @Test("A peer that does not answer ARP is rejected, unless its MAC address is given")
    func mac() throws {
        let arguments = ["--peer", "10.9.8.99", "--interval", "5", "--count", "1"]
        let without = try self.run(.left, arguments)
        #expect(without.exitCode() == 1 && without.errors.contains("no answer to ARP"), "\(without.errors)")
        let run = try self.run(.left, arguments + ["--mac", VethPair.mac(.right)])
        #expect(run.exitCode() == 0 && run.packets("TX").count == 1, "\(run.errors)")
    }

    @Test("Without CAP_NET_RAW the run names the capability and how to grant it")
    func noPrivilege() throws {
        let without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=65534", "--clear-groups"]
        let run = try self.run(.left, ["--peer", VethPair.ipv4(.right)], before: without)
        #expect(run.exitCode() == 1)
        #expect(run.errors.contains("CAP_NET_RAW") && run.errors.contains("setcap cap_net_raw+ep"), "\(run.errors)")
    }

    @Test(
        "Invalid options are rejected with a reason",
        arguments: [
            (["--peer", "nobody"], "peer"), (["--peer", "10.9.8.2", "--interval", "0"], "--interval"),
            (["--peer", "203.0.113.1"], "203.0.113.1"), (["--peer", "10.9.8.2", "--mac", "1:2"], "mac"), ([], "peer"),
        ])
    func refused(arguments: [String], reason: String) throws {
        let run = try self.run(.left, arguments)
        #expect(run.exitCode() != 0 && run.errors.contains(reason), "\(run.errors)")
    }
}
