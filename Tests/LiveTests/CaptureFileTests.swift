import Foundation
import Report
import Testing

/// Tests captures of samples with tshark, an independent reader of pcapng.
@Suite struct CaptureFileTests {
    private func capture() -> [UInt8] {
        var capture = PCAPNG(application: "probe")
        for number in 0..<3 {
            // Broadcast, with the EtherType for experiments.
            let frame = [UInt8](repeating: 0xFF, count: 6) + [2, 0, 0, 0, 0, UInt8(number), 0x88, 0xB5, 1, 2, 3]
            let interface = capture.interface("port\(number % 2)", .ethernet)
            capture.append(
                frame.span.bytes, wholeLength: 1500, interface: interface,
                time: 1_700_000_000_123_456_789 + Int64(number),
                direction: number == 0 ? .in : .out, comment: "group 5 sequence \(number) rate 1/10 latency 1200 ns")
        }
        return capture.bytes
    }

    /// The packets as tshark prints them, one line each.
    private func read(_ bytes: [UInt8]) throws -> [String] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("probe-\(UUID()).pcapng").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        let fields = [
            "frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_name", "frame.packet_flags_direction",
            "eth.src", "frame.comment",
        ]
        // tshark prints the packets of a cut file, then reports the cut and fails.
        let command = ["tshark", "-r", file, "-T", "fields", "-E", "separator=;"] + fields.flatMap { ["-e", $0] }
        return try Command.run(["sh", "-c", "\"$@\" 2>/dev/null || true", "sh"] + command)
            .split(separator: "\n").map(String.init)
    }

    private let expected = [
        "1700000000.123456789;17;1500;port0;0x00000001;02:00:00:00:00:00;group 5 sequence 0 rate 1/10 latency 1200 ns",
        "1700000000.123456790;17;1500;port1;0x00000002;02:00:00:00:00:01;group 5 sequence 1 rate 1/10 latency 1200 ns",
        "1700000000.123456791;17;1500;port0;0x00000002;02:00:00:00:00:02;group 5 sequence 2 rate 1/10 latency 1200 ns",
    ]

    @Test(.enabled(if: Interop.hasTshark, "tshark is not installed"))
    func `tshark reads the frames, times, interfaces and comments that were written`() throws {
        #expect(try read(capture()) == expected)
    }

    @Test(.enabled(if: Interop.hasTshark, "tshark is not installed"))
    func `A file cut anywhere is readable up to its last whole packet`() throws {
        let bytes = capture()
        for cut in [1, 4, 40, 100, 130] {
            let whole = try read(Array(bytes.dropLast(cut)))
            let count = PCAPNG.wholeBlocks(bytes, within: bytes.count - cut)
            let packets = try read(Array(bytes.prefix(count)))
            #expect(whole == packets && packets == Array(expected.prefix(packets.count)), "cut by \(cut) bytes")
        }
        #expect(try read(Array(bytes.dropLast(1))).count == 2)
    }
}
