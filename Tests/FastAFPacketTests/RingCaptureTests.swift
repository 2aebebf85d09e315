import FastAFPacket
import LinuxKernel
import Testing

/// The example program `ring-capture`, run as users run it.
@Suite(.needsRoot, .vethPair)
struct RingCaptureTests {
    private func run(_ arguments: [String], before: [String] = []) throws -> ExampleRun {
        try ExampleRun("ring-capture", .right, arguments, before: before)
    }

    /// A run that receives only the tests' frames and prints them; returns once it waits for the first.
    private func capture(_ arguments: [String], filter: String = "ether proto 0x88b5") throws -> ExampleRun {
        let run = try run(["--interface", VethPair.interfaceName, "--filter", filter, "--packets"] + arguments)
        try run.untilWaiting()
        return run
    }

    private func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The numbers of the frames whose first bytes are on the lines.
    private func numbers(_ run: ExampleRun) -> [Int?] {
        run.packets().map { $0["bytes"].flatMap { Int($0.dropFirst(28).prefix(8), radix: 16) } }
    }

    @Test(
        "Each packet's line has its timestamp, interface, lengths and first bytes, with every ring version",
        arguments: [nil, 1, 2, 3])
    func lines(version: Int?) throws {
        let pair = try VethPair.current
        let payloads = [46, 400, 1500]
        let run = try capture(["--count", "3"] + (version.map { ["--ring-version", "\($0)"] } ?? []))
        let before = ClockID.realtime.now() / 1000 * 1000
        let sender = try pair.listen(.left)
        for (id, payload) in payloads.enumerated() { try sender.sendFrames([UInt32(id)], payload: payload) }
        #expect(run.exitCode() == 0, "\(run.errors)")
        let lines = run.packets()
        try #require(lines.count == 3, "\(run.lines)")
        for (id, payload) in payloads.enumerated() {
            let (line, stamp) = (lines[id], Int64(lines[id]["stamp"] ?? "") ?? 0)
            #expect(stamp >= before && stamp <= ClockID.realtime.now(), "\(line)")
            // The kernel switches timestamps on in the background: the first ones are of source copy.
            #expect(line["source"] == "software" || line["source"] == "copy")
            #expect(try line["interface"] == "\(pair.interface(.right).index)")
            #expect(line["length"] == "\(14 + payload)" && line["captured"] == "\(14 + payload)")
            #expect(line["bytes"] == hex(frame(UInt32(id)).prefix(32)) && line["vlan"] == nil)
        }
        // Only v1 has whole microseconds.
        let hasMicroseconds = lines.allSatisfy { $0["stamp"]?.hasSuffix("000") == true }
        #expect(hasMicroseconds == (version == 1))
        #expect(run.errors.hasPrefix("packets=3 ") && run.errors.contains(" arrived=3 dropped=0 freezes=0\n"))
    }

    @Test("The run ends at its count, even if more packets arrived", arguments: [1, 2, 3])
    func count(version: Int) throws {
        let run = try capture(["--count", "4", "--ring-version", "\(version)"])
        try VethPair.current.listen(.left).sendFrames(0..<10)
        #expect(run.exitCode() == 0, "\(run.errors)")
        #expect(numbers(run) == [0, 1, 2, 3])
    }

    @Test("A filter passes only its packets")
    func filter() throws {
        let run = try capture(["--count", "3"], filter: "ether proto 0x88b5 and ether[14:4] & 1 == 1")
        try VethPair.current.listen(.left).sendFrames(0..<6)
        #expect(run.exitCode() == 0, "\(run.errors)")
        #expect(numbers(run) == [1, 3, 5] && run.errors.contains(" arrived=3 "))
    }

    @Test("A VLAN tag is reported, and restored on request", arguments: [2, 3], [true, false])
    func vlan(version: Int, isRestored: Bool) throws {
        let run = try capture(["--count", "1", "--ring-version", "\(version)"] + (isRestored ? ["--vlan"] : []))
        let plain = frame(9)
        // Priority 5, VLAN 291.
        let tagged = Array(plain[..<12] + [0x81, 0, 0xA1, 0x23] + plain[12...])
        try VethPair.current.listen(.left).writeTo(tagged, id: 1)
        #expect(run.exitCode() == 0, "\(run.errors)")
        let line = try #require(run.packets().first)
        let expected = isRestored ? tagged : plain
        #expect(line["vlan"] == "291" && line["bytes"] == hex(expected.prefix(32)))
        #expect(line["length"] == "\(expected.count)" && line["captured"] == "\(expected.count)")
    }

    @Test("Ctrl-C ends the run and prints the counts")
    func interrupt() throws {
        let run = try capture([])
        try VethPair.current.listen(.left).sendFrames(0..<5)
        #expect(eventually { run.lines.count == 5 })
        #expect(run.interrupt() == 0)
        let counts = run.errors.split(separator: "\n").last ?? ""
        #expect(counts.hasPrefix("packets=5 ") && counts.hasSuffix(" arrived=5 dropped=0 freezes=0"), "\(run.errors)")
    }

    @Test("Without --packets counts are printed at each interval, of all interfaces if none is named")
    func interval() throws {
        let run = try run(["--filter", "ether proto 0x88b5", "--interval", "1"])
        try run.untilWaiting()
        #expect(eventually { run.errors.contains("packets=0 ") })
        try VethPair.current.listen(.left).sendFrames(0..<5)
        #expect(eventually { run.errors.contains("packets=5 ") })
        #expect(run.interrupt() == 0 && run.lines.isEmpty)
    }

    @Test("An interface that goes down is reported once and received again when it is up; a deleted one ends the run")
    func down() throws {
        let pair = try VethPair.current
        let run = try capture([])
        try pair.ip(.right, "link set \(VethPair.interfaceName) down")
        #expect(eventually { run.errors.contains("ip link set") })
        try pair.ip(.right, "link set \(VethPair.interfaceName) up")
        for side in [VethPair.Side.left, .right] { try pair.waitUntilActive(side) }
        try pair.listen(.left).sendFrames([1])
        #expect(eventually { numbers(run) == [1] }, "\(run.lines) \(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)
        try pair.ip(.right, "link del \(VethPair.interfaceName)")
        #expect(run.exitCode() == 1 && run.errors.contains("The interface has been deleted"), "\(run.errors)")
    }

    @Test("The run ends when the reader of its output exits")
    func unread() throws {
        let arguments = ["--interface", VethPair.interfaceName, "--packets"]
        let run = try run(arguments, before: ["sh", "-c", #""$@" | head -n 1"#, "sh"])
        let sender = try VethPair.current.listen(.left)
        #expect(
            eventually {
                try? sender.sendFrames([1])
                return !run.isRunning
            })
        #expect(run.lines.count == 1 && run.errors.contains("packets="), "\(run.errors)")
    }

    @Test("Without NIC timestamps the run says so, and prints the kernel's")
    func hardware() throws {
        let run = try capture(["--hardware", "--count", "1"])
        try VethPair.current.listen(.left).sendFrames([1])
        #expect(run.exitCode() == 0 && run.errors.contains("no NIC timestamps"), "\(run.errors)")
        #expect(run.packets().first?["source"] != "hardware")
    }

    @Test("Without CAP_NET_RAW the run names the capability and how to grant it")
    func noPrivilege() throws {
        let without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=65534", "--clear-groups"]
        let run = try run(["--interface", VethPair.interfaceName], before: without)
        #expect(run.exitCode() == 1)
        #expect(run.errors.contains("CAP_NET_RAW") && run.errors.contains("setcap cap_net_raw+ep"), "\(run.errors)")
    }

    @Test(
        "Invalid options are rejected with a remedy",
        arguments: [
            (["--filter", "udp and and"], "pcap-filter(7)"), (["--interface", "nope"], "`ip link` lists"),
            (["--ring-version", "4"], "use 1, 2 or 3"), (["--size", "0"], "1 to 4096 MiB"),
            (["--interval", "0"], "at least 1 second"), (["--ring-version", "1", "--vlan"], "--ring-version 2 or 3"),
            (["--count", "x"], "--count"),
        ])
    func refused(arguments: [String], reason: String) throws {
        let run = try run(arguments)
        #expect(run.exitCode() != 0 && run.errors.contains(reason), "\(run.errors)")
        #expect(run.lines.isEmpty)
    }
}
