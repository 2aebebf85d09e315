import ArgumentParser
import Testing

@testable import probe

/// Parses `probe run` with an interface, a peer and further options.
private func parse(_ more: String...) throws -> RunCommand {
    try RunCommand.parse(["--interface", "eth0", "--peer", "192.0.2.2"] + more)
}

/// The message that rejects the options; `nil` if they are accepted.
private func rejection(_ arguments: [String]) -> String? {
    do {
        _ = try RunCommand.parse(["--interface", "eth0", "--peer", "192.0.2.2"] + arguments)
        return nil
    } catch {
        return RunCommand.message(for: error)
    }
}

@Suite struct RunCommandTests {
    @Test func `Interface and peer are enough, and give the documented defaults`() throws {
        let command = try parse()
        #expect(command.common.port == 862)
        #expect(command.common.transport == .packet)
        #expect(command.intervalNanoseconds == 1_000_000_000)
        #expect(command.probes == nil)
        #expect(command.timeout.nanoseconds == 2_000_000_000)
        #expect(command.ttl == 255 && command.dscp == 0 && command.size == nil)
    }

    @Test(arguments: [["--peer", "192.0.2.2"], ["--interface", "eth0"], []])
    func `Interface and peer are required`(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try RunCommand.parse(arguments) }
    }

    @Test(arguments: [
        (["--interval", "1s", "--rate", "5"], "--interval or --rate"),
        (["--count", "5", "--duration", "1s"], "--count or --duration"),
        (["--log-reflected"], "--log"),
        (["--source", "fd00::1"], "same address family"),
        (["--next-hop", "fd00::1"], "same address family"),
    ])
    func `Options that exclude or need each other are rejected with the reason`(_ arguments: [String], _ part: String)
        throws
    {
        let message = try #require(rejection(arguments))
        #expect(message.contains(part), "\(message)")
    }

    @Test(arguments: [
        ("--rate", "0"), ("--rate", "-1"), ("--rate", "nan"), ("--rate", "inf"), ("--rate", "-inf"),
        ("--rate", "10000001"), ("--rate", "1e400"), ("--rate", ""), ("--rate", "fast"), ("--rate", "1e-300"),
        ("--rate", "1e-10"), ("--rate", "5e-324"), ("--interval", "99ns"), ("--interval", "0"), ("--interval", "-1s"),
        ("--interval", "1e400"), ("--interval", "nan"), ("--count", "0"), ("--count", "-1"),
        ("--count", "18446744073709551616"), ("--duration", "-1s"), ("--duration", "x"), ("--duration", "9e99h"),
        ("--duration", "0"), ("--dscp", "64"), ("--dscp", "-1"), ("--dscp", "256"), ("--ttl", "0"), ("--ttl", "256"),
        ("--timeout", "999us"), ("--timeout", "601s"), ("--timeout", "0"), ("--port", "0"), ("--port", "65536"),
        ("--port", "49152"), ("--port", "-1"), ("--size", "9223372036854775808"), ("--size", "x"),
        ("--transport", "tcp"), ("--output", "xml"), ("--mac", "02:00:00:00:00"), ("--mac", "x"),
        ("--source", "192.0.2.256"), ("--source", "host"), ("--next-hop", ""), ("--peer", "host.example"),
    ])
    func `A value outside an option's limits is rejected with a message and a usage error`(
        _ option: String, _ value: String
    ) throws {
        let arguments = ["\(option)=\(value)"]
        let message = try #require(rejection(arguments), "\(option) \(value) was accepted")
        #expect(message.contains(option), "\(message)")
        #expect {
            try RunCommand.parse(["--interface", "eth0", "--peer", "192.0.2.2"] + arguments)
        } throws: {
            RunCommand.exitCode(for: $0).rawValue == 64
        }
    }

    @Test(arguments: [
        ("--rate", "10000000"), ("--rate", "0.001"), ("--interval", "100ns"), ("--interval", "277777h"),
        ("--count", "1"), ("--count", "18446744073709551615"), ("--duration", "1ns"), ("--duration", "277777h"),
        ("--dscp", "0"), ("--dscp", "63"), ("--ttl", "1"), ("--ttl", "255"), ("--timeout", "1ms"), ("--timeout", "10m"),
        ("--port", "1"), ("--port", "49151"), ("--transport", "udp"), ("--output", "json"),
        ("--mac", "02:00:00:00:00:01"), ("--source", "192.0.2.1"), ("--next-hop", "192.0.2.254"),
    ])
    func `A value at an option's limit is accepted, and gives a valid interval and count`(
        _ option: String, _ value: String
    ) throws {
        let command = try parse("\(option)=\(value)")
        #expect(command.intervalNanoseconds >= 100)
        #expect(command.probes != 0)
    }

    @Test(
        arguments: [("1000", 1_000_000), ("3", 333_333_333), ("0.5", 2_000_000_000), ("10000000", 100)]
            as [(String, Int64)])
    func `A rate is converted to the interval in nanoseconds`(_ rate: String, _ intervalNanoseconds: Int64) throws {
        #expect(try parse("--rate", rate).intervalNanoseconds == intervalNanoseconds)
    }

    @Test(
        arguments: [("1s", "100", 100), ("10s", "100", 1000), ("1ms", "1", 1), ("2500ms", "1", 2)]
            as [(String, String, UInt64)])
    func `A duration is converted to a number of probes, at least one`(
        _ duration: String, _ rate: String, _ probes: UInt64
    ) throws {
        #expect(try parse("--duration", duration, "--rate", rate).probes == probes)
    }

    @Test func `The longest duration at the highest rate does not overflow`() throws {
        #expect(try parse("--duration", "277777h", "--rate", "10000000").probes == 277_777 * 36_000_000_000)
    }
}

@Suite struct HelpTests {
    @Test(
        arguments: [
            Probe.self, RunCommand.self, ReflectCommand.self, DoctorCommand.self, PSampleCommand.self,
            ConntrackCommand.self, ConntrackCommand.List.self, ConntrackCommand.Follow.self, ConntrackCommand.Get.self,
            ConntrackCommand.Delete.self, ConntrackCommand.Count.self,
        ] as [any ParsableCommand.Type])
    func `Every command's help fits 80 columns, and its discussion is not wrapped again`(
        _ command: any ParsableCommand.Type
    ) {
        let lines = Probe.helpMessage(for: command, columns: 80).split(separator: "\n")
        for line in lines { #expect(line.count <= 80, "\(line)") }
        for line in command.configuration.discussion.split(separator: "\n") {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test(arguments: [
        Probe.helpMessage(), Probe.helpMessage(for: RunCommand.self), Probe.helpMessage(for: ReflectCommand.self),
    ])
    func `The help shows an example before the options, and all exit codes`(_ help: String) throws {
        let example = try #require(help.firstRange(of: "EXAMPLE"))
        let command = try #require(help[example.upperBound...].firstRange(of: "probe r"))
        let options = try #require(help.firstRange(of: "OPTIONS:"))
        #expect(command.lowerBound < options.lowerBound)
        for code in [0, 1, 2, 3, 4, 5, 6, 7, 64] {
            #expect(help.contains(try Regex("\n +\(code) +[a-z]")), "\(code)")
        }
    }
}
