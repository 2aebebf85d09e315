import ArgumentParser
import CLinux
import Foundation
import LinuxKernel
import NetworkAddresses
import PSample
import Report
import STAMPWire
import Testing

@testable import Netlink
@testable import probe

/// The message that rejects the options; `nil` if they are accepted.
private func rejection(_ arguments: [String]) -> String? {
    do {
        _ = try PSampleCommand.parse(arguments)
        return nil
    } catch {
        #expect(PSampleCommand.exitCode(for: error).rawValue == 64)
        return PSampleCommand.message(for: error)
    }
}

@Suite struct PSampleOptionTests {
    @Test func `All options have defaults`() throws {
        let command = try PSampleCommand.parse([])
        #expect(command.groups == nil && command.port == 862 && !command.list)
    }

    @Test func `Several groups can be given`() throws {
        #expect(try PSampleCommand.parse(["--group", "5", "--group", "0"]).groups == [0, 5])
    }

    @Test(arguments: [
        ["--count", "0"], ["--duration", "0s"], ["--port", "0"], ["--list", "--count", "1"],
        ["--list", "--pcapng", "x"], ["--group", "-1"], ["--group", "4294967296"],
    ])
    func `Values outside the limits, and options that exclude each other, are rejected`(arguments: [String]) throws {
        let message = try #require(rejection(arguments))
        #expect(message.contains(arguments[0]), "\(message)")
    }

    @Test func `The help begins with an example`() throws {
        let help = PSampleCommand.helpMessage(columns: 80)
        let example = try #require(help.range(of: "probe psample --group 5"))
        #expect(example.lowerBound < (try #require(help.range(of: "OPTIONS"))).lowerBound)
    }
}

/// The listener on a simulated kernel.
@Suite struct SampleListenerTests {
    private static let family = GenericFamily(name: "psample", identifier: 0x20, version: 1, groups: [:])

    /// The kernel's message of a sample.
    private func message(
        _ sequence: UInt32, input: Bool = true, size: UInt32, _ data: [UInt8]
    ) throws(NetlinkFormatError) -> [UInt8] {
        var writer = MessageWriter(Self.family, command: PSAMPLE_CMD_SAMPLE.rawValue)
        writer.attributes.put(UInt16(input ? PSAMPLE_ATTR_IIFINDEX : PSAMPLE_ATTR_OIFINDEX), UInt16(1))
        writer.attributes.put(UInt16(PSAMPLE_ATTR_SAMPLE_RATE), UInt32(2))
        writer.attributes.put(UInt16(PSAMPLE_ATTR_ORIGSIZE), size)
        writer.attributes.put(UInt16(PSAMPLE_ATTR_SAMPLE_GROUP), UInt32(5))
        writer.attributes.put(UInt16(PSAMPLE_ATTR_GROUP_SEQ), sequence)
        writer.attributes.put(UInt16(PSAMPLE_ATTR_LATENCY), UInt64(700))
        writer.attributes.put(UInt16(PSAMPLE_ATTR_TIMESTAMP), UInt64(1_700_000_000_000_000_000))
        writer.attributes.put(UInt16(PSAMPLE_ATTR_DATA), bytes: data)
        return try writer.finished()
    }

    /// The first bytes of a probe's frame.
    private func probe(_ sequence: UInt32, length: Int) throws -> [UInt8] {
        let template = UDPFrameTemplate(
            destinationMAC: MACAddress(rawValue: 1), sourceMAC: MACAddress(rawValue: 2),
            source: try #require(IPAddress("192.0.2.1")), destination: try #require(IPAddress("192.0.2.2")),
            sourcePort: 49153, destinationPort: 862)
        var packet = [UInt8](repeating: 0, count: 44)
        let probe = SenderPacket(
            sequence: sequence, timestamp: 5, errorEstimate: ErrorEstimate(rawValue: 1), ssid: 9)
        var frame = [UInt8](repeating: 0, count: 86)
        Self.edit(&packet) { _ = probe.write(into: &$0) }
        Self.edit(&frame) { _ = template.writeHeaders(into: &$0, payloadLength: 44) }
        frame.replaceSubrange(42..., with: packet)
        return Array(frame.prefix(length))
    }

    private static func edit(_ bytes: inout [UInt8], _ body: (inout MutableRawSpan) -> Void) {
        var elements = bytes.mutableSpan
        var span = elements.mutableBytes
        body(&span)
    }

    private func listen(_ datagrams: [[UInt8]], _ arguments: [String]) throws -> SampleListener.Result {
        let options = try PSampleCommand.parse(["--quiet"] + arguments)
        let connection = NetlinkConnection(portID: 9, notifications: datagrams) { _ in [] }
        let subscription = SampleSubscription(connection, Self.family, groups: options.groups)
        var listener = try SampleListener(options, subscription, stop: StopSignal(), logger: Probe.logger())
        return listener.run()
    }

    @Test func `STAMP packets are found in truncated samples, and shares and losses are counted`() throws {
        let result = try listen(
            [
                message(0, size: 86, probe(10, length: 64)), message(3, size: 86, probe(13, length: 64)),
                message(4, size: 60, [UInt8](repeating: 1, count: 60)), message(5, size: 86, probe(17, length: 86)),
            ], ["--count", "4"])
        #expect(result.statistics.samples == 4 && result.statistics.stampPackets == 3)
        #expect(result.statistics.groups.first?.lost == 2 && result.statistics.latency.count == 4)
        let text = result.statistics.text(duration: result.duration)
        #expect(text.contains("192.0.2.1:49153 > 192.0.2.2:862 in: 3 of 8 sampled, 37.50 % (sampler's rate: 50.00 %)"))
    }

    @Test func `It ends after the requested number of samples, or the requested time`() throws {
        let datagrams = try (0..<10).map { try message($0, size: 60, [1]) }
        let three = try listen(datagrams, ["--count", "3"]).statistics
        #expect(three.samples == 3 && three.counts == [5: 3])
        #expect(try listen(datagrams, ["--duration", "1ms"]).statistics.samples == 10)
    }

    @Test func `A capture file contains the samples, and replaces an existing file only with --force`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("probe-\(UUID()).pcapng").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let arguments = ["--count", "1", "--pcapng", path]
        _ = try listen([message(0, size: 86, probe(10, length: 64))], arguments)
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(PCAPNG.wholeBlocks(bytes, within: bytes.count) == bytes.count)
        #expect(String(decoding: bytes, as: UTF8.self).contains("group 5 sequence 0 rate 1/2 in lo latency 700 ns"))
        #expect(String(decoding: bytes, as: UTF8.self).contains("probe \(RunOutputs.version)"))
        let error = #expect(throws: ProbeError.self) { try listen([], arguments) }
        #expect(error?.exitCode == 7 && error?.description.contains("--force") == true)
        _ = try listen([message(0, size: 86, probe(10, length: 64))], arguments + ["--force"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == bytes.count)
    }

    @Test func `A capture file that cannot be written ends, while sampling continues`() throws {
        let samples = try (0..<3).map { try message($0, size: 86, probe(10 + $0, length: 64)) }
        #expect(throws: ProbeError.self) { try listen(samples, ["--pcapng", "/dev/full", "--force"]) }
        OutputFile.ignoreBrokenPipes()
        let pipe = Pipe()
        let path = "/proc/self/fd/\(pipe.fileHandleForWriting.fileDescriptor)"
        let options = try PSampleCommand.parse(["--quiet", "--count", "3", "--pcapng", path, "--force"])
        let connection = NetlinkConnection(portID: 9, notifications: samples) { _ in [] }
        let subscription = SampleSubscription(connection, Self.family, groups: nil)
        var listener = try SampleListener(options, subscription, stop: StopSignal(), logger: Probe.logger())
        try pipe.fileHandleForReading.close()
        let result = listener.run()
        #expect(result.statistics.samples == 3 && result.captureFailure?.code == ErrorCode.brokenPipe)
    }

    @Test func `Malformed messages are counted`() throws {
        var broken = try message(0, size: 60, [1])
        broken[20] = 200
        let result = try listen([broken, message(1, size: 60, [1])], ["--count", "1"])
        #expect(result.statistics.malformed == 1 && result.statistics.samples == 1)
    }
}
