import Foundation
import Report
import Testing

/// Tests the sender against a third-party reflector, and its packets with a third-party dissector.
@Suite(.serialized, .needsRoot)
struct InteropSenderTests {
    @Test(
        .enabled(if: Interop.hasPython, "\(Interop.python) is not installed"),
        arguments: [("stateless", "packet"), ("stateful", "packet"), ("stateful", "udp")])
    func `A standard STAMP reflector without TLVs is measured with the timestamps of its base packets`(
        _ kind: String, _ transport: String
    ) async throws {
        try await Lab.with { lab in
            let reflector = try lab.start(.b, program: [Interop.python, "-u", "-c", Interop.reflector, "8620", kind])
            try await reflector.waitForOutput("ready")
            let run = try lab.startRun(
                .a, .ipv4,
                ["--interval", "5ms", "--count", "200", "--timeout", "200ms", "--port", "8620"]
                    + ["--transport", transport])
            let summary = try await run.summary()
            #expect(run.errors.contains("standard STAMP reflector"))
            #expect(summary.value("relative") as? Bool == true)
            #expect(summary.text("clock_note")?.hasPrefix("relative") == true)
            let log = try Log(lab.log(.a))
            let sent = try #require(summary["counters.sent"])
            #expect(sent + (summary["counters.skipped_deadlines"] ?? 0) == 200)
            #expect(log.probes.count == sent && log.replies.count == sent)
            let replies = log.replies.bySequence
            for probe in log.probes {
                let reply = try #require(replies[probe.sequence])
                #expect(probe.transmitStamp == .software, "the local timestamps do not depend on the peer")
                switch (probe.sequence % 10, kind) {
                case (3, "stateful"): #expect(probe.status == .lost && reply.status != .lost)
                case (7, "stateful"): #expect(probe.status == .ok && reply.status == .lost)
                case (3, _), (7, _): #expect(probe.status == .unknown && reply.status == .unknown)
                default:
                    #expect(probe.status == .ok && reply.status == .ok)
                    #expect(reply.transmitStamp == .app && reply.transmitMissing == .noFollowUp)
                    #expect(probe.receiveStamp == .app)
                    #expect(reply.delayError == nil && probe.delayError == nil)
                    #expect(try #require(probe.receiveApp) <= #require(reply.transmitApp))
                    #expect(reply.receiveSoftware != nil)
                    if kind == "stateless" { #expect(reply.replySequence == probe.sequence) }
                }
            }
            let ignored = log.probes.count { $0.sequence % 10 == 3 }
            let unsent = log.probes.count { $0.sequence % 10 == 7 }
            #expect(summary["forward.packets.lost"] == (kind == "stateful" ? ignored : 0))
            #expect(summary["reverse.packets.lost"] == (kind == "stateful" ? unsent : 0))
            #expect(ignored > 0 && unsent > 0)
            #expect(summary["counters.received"] == sent - ignored - unsent)
        }
    }

    /// The reply fields that tshark 4.0 decodes correctly. It decodes a probe as a reply.
    private static let fields = [
        "ip.src", "udp.srcport", "twamp.test.seq_number", "twamp.test.timestamp", "twamp.test.receive_timestamp",
        "twamp.test.sender_seq_number", "twamp.test.sender_timestamp", "twamp.test.sender_ttl",
    ]

    @Test(.enabled(if: Interop.hasTshark, "tshark is not installed"))
    func `tshark decodes the same sequence numbers and timestamps from replies as the log has`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let capture = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let run = try lab.startRun(.a, .ipv4, ["--interval", "5ms", "--count", "50"])
            _ = try await run.summary()
            _ = try await lab.finish(reflector)
            let file = lab.file("packets.pcap")
            try pcap(capture).write(to: URL(fileURLWithPath: file))
            let output = try Command.run(
                ["env", "TZ=UTC", "tshark", "-r", file, "-d", "udp.port==862,twamp.test", "-Y", "udp.srcport==862"]
                    + ["-T", "fields"] + Self.fields.flatMap { ["-e", $0] })
            let log = try Log(lab.log(.a))
            let probes = log.probes.bySequence
            var compared = 0
            for line in output.split(separator: "\n") {
                let values = line.split(separator: "\t").map(String.init)
                try #require(values.count == Self.fields.count, "\(line)")
                guard let sequence = UInt32(values[5]), let probe = probes[sequence] else { continue }
                let reply = try #require(log.replies.bySequence[sequence])
                #expect(values[0] == Lab.ipv4(.b) && values[1] == "862")
                #expect(UInt32(values[2]) == reply.replySequence)
                #expect(values[3] == text(try #require(reply.transmitApp)))
                #expect(values[4] == text(try #require(probe.receiveSoftware)))
                #expect(values[6] == text(try #require(probe.transmitApp)))
                #expect(values[7] == "255")
                compared += 1
            }
            #expect(compared == log.probes.count && compared > 0)
        }
    }

    /// An absolute time in tshark's format: "Nov 21, 2026 12:00:37.246938808 UTC".
    private func text(_ nanoseconds: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "MMM dd, yyyy HH:mm:ss"
        let date = Date(timeIntervalSince1970: Double(nanoseconds / 1_000_000_000))
        return formatter.string(from: date) + String(format: ".%09d UTC", Int(nanoseconds % 1_000_000_000))
    }

    /// A capture file of Ethernet frames: draft-ietf-opsawg-pcap, in this host's byte order.
    private func pcap(_ socket: borrowing RawSocket) -> Data {
        func little(_ values: UInt32...) -> [UInt8] {
            values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
        }
        var file = little(0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 65535, 1)
        while let received = socket.receive() {
            let stamp = received.stamp ?? 0
            let count = UInt32(received.bytes.count)
            file += little(
                UInt32(stamp / 1_000_000_000), UInt32(stamp % 1_000_000_000 / 1000), count, count)
            file += received.bytes
        }
        return Data(file)
    }
}
