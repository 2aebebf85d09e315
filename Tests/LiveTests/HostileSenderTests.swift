import Foundation
import Glibc
import Testing

/// Tests a sender against hostile replies: it counts them, and continues to measure.
@Suite(.serialized, .needsRoot)
struct HostileSenderTests {
    /// Runs a sender on `a` against a reflector that answers each probe.
    ///
    /// - Parameters:
    ///   - first: The number of probes for which `attack` is called. The last probes only close the session, which does
    ///     not wait for replies to them.
    ///   - attack: Called before the reply to a probe is sent.
    private func measure(
        _ lab: Lab, transport: String = "packet", to first: Int = 50,
        _ attack: @escaping @Sendable (_ endpoint: UDPEndpoint, _ probe: [UInt8], _ source: sockaddr_in) -> Void
    ) async throws -> Summary {
        let endpoint = try UDPEndpoint(lab, .b, port: 8620)
        let reflector = ScriptedReflector(endpoint) { number, probe, source in
            if number < first { attack(endpoint, probe, source) }
            endpoint.send(Bytes.reply(to: probe), to: source)
        }
        let run = try lab.startRun(
            .a, .ipv4, ["--rate", "500", "--count", "200", "--port", "8620", "--transport", transport])
        let result = await Result { () async throws in try await run.summary() }
        reflector.end()
        let summary = try result.get()
        let sent = try #require(summary["counters.sent"])
        #expect(sent + (summary["counters.skipped_deadlines"] ?? 0) == 200)
        #expect(sent > first && summary["counters.received"] == sent, "every valid reply counts")
        return summary
    }

    @Test(arguments: ["packet", "udp"])
    func `Replies with a wrong SSID, a wrong T1 or a sequence number never sent are counted by kind`(
        _ transport: String
    ) async throws {
        try await Lab.with { lab in
            let summary = try await measure(lab, transport: transport) { endpoint, probe, source in
                var wrong = Bytes.reply(to: probe)
                wrong[14] ^= 0x55
                wrong[15] |= 1
                endpoint.send(wrong, to: source)
                wrong = Bytes.reply(to: probe)
                wrong[35] ^= 1
                endpoint.send(wrong, to: source)
                wrong = Bytes.reply(to: probe)
                wrong[24] ^= 0x40
                endpoint.send(wrong, to: source)
            }
            #expect(summary["counters.wrong_session"] == 50)
            #expect(summary["counters.stray"] == 100)
            #expect(summary["forward.packets.unknown"] == 0)
        }
    }

    @Test(arguments: ["packet", "udp"])
    func `Every prefix of a reply that is too short is counted as short`(
        _ transport: String
    ) async throws {
        try await Lab.with { lab in
            let summary = try await measure(lab, transport: transport, to: 20) {
                endpoint, probe, source in
                for length in 0..<38 { endpoint.send(Array(Bytes.reply(to: probe)[..<length]), to: source) }
            }
            #expect(summary["counters.short"] == 38 * 20)
        }
    }

    @Test func `Random bytes from the peer's port are rejected and counted one by one`() async throws {
        try await Lab.with { lab in
            let summary = try await measure(lab) { endpoint, probe, source in
                var random = RepeatableRandom(seed: UInt64(Bytes.read(probe, 0, as: UInt32.self)))
                for _ in 0..<10 { endpoint.send(random.bytes(Int.random(in: 0...600, using: &random)), to: source) }
            }
            let rejected =
                (summary["counters.short"] ?? 0) + (summary["counters.wrong_session"] ?? 0)
                + (summary["counters.stray"] ?? 0) + (summary["counters.too_late"] ?? 0)
            #expect(rejected == 500)
        }
    }

    @Test func `Random TLVs after a valid reply change no count`() async throws {
        try await Lab.with { lab in
            let endpoint = try UDPEndpoint(lab, .b, port: 8620)
            let reflector = ScriptedReflector(endpoint) { _, probe, source in
                var random = RepeatableRandom(seed: UInt64(Bytes.read(probe, 0, as: UInt32.self)))
                // Includes well-formed timestamp sets with random values.
                let paired: [UInt8] = Bytes.big(UInt32(0x4F57_4450)) + [1, 0, 2, 2] + random.bytes(168)
                let known = Bytes.tlv(240, paired, flags: 0) + Bytes.tlv(7, random.bytes(16), flags: 0)
                let tail = random.bytes(Int.random(in: 0...300, using: &random))
                endpoint.send(Bytes.reply(to: probe) + (Bool.random(using: &random) ? known : []) + tail, to: source)
            }
            let run = try lab.startRun(.a, .ipv4, ["--rate", "500", "--count", "300", "--port", "8620"])
            let result = await Result { () async throws in try await run.summary() }
            reflector.end()
            let summary = try result.get()
            let sent = try #require(summary["counters.sent"])
            #expect(sent + (summary["counters.skipped_deadlines"] ?? 0) == 300)
            #expect(summary["counters.received"] == sent)
            let log = try Log(lab.log(.a))
            #expect(log.probes.count == sent && log.replies.count == sent)
        }
    }

    @Test(arguments: ["packet", "udp"])
    func `Replies from another address or port never reach the session`(_ transport: String) async throws {
        try await Lab.with { lab in
            try lab.ip(.b, "addr add 192.0.2.99/24 dev probe0")
            let stray = try UDPEndpoint(lab, .b, address: "192.0.2.99", port: 8621)
            let otherPort = try UDPEndpoint(lab, .b, address: "192.0.2.2", port: 8622)
            let summary = try await measure(lab, transport: transport) { _, probe, source in
                stray.send(Bytes.reply(to: probe), to: source)
                otherPort.send(Bytes.reply(to: probe), to: source)
            }
            // The packet socket's filter drops them before the sender.
            #expect(summary["counters.stray"] == (transport == "udp" ? 100 : 0))
            #expect(summary["reverse.packets.duplicate"] == 0)
        }
    }

    @Test func `Replies with a wrong checksum are counted as corrupt`() async throws {
        try await Lab.with { lab in
            let socket = try RawSocket(namespace: lab.namespace(.b), interface: Lab.interface)
            let sent = CorruptReplies(socket)
            let summary = try await measure(lab) { _, probe, source in sent.send(probe, source) }
            #expect(summary["counters.corrupt"] == 50)
            #expect(summary["counters.stray"] == 0)
        }
    }

    private final class CorruptReplies: Sendable {
        private let socket: RawSocket

        init(_ socket: consuming RawSocket) { self.socket = socket }

        func send(_ probe: [UInt8], _ source: sockaddr_in) {
            var frame = Bytes.frame(
                Bytes.reply(to: probe), from: .b, sourcePort: 8620, destinationPort: UInt16(bigEndian: source.sin_port))
            frame[frame.count - 20] ^= 0x10
            socket.send(frame)
        }
    }
}

extension Result where Failure == any Error {
    /// The result or error of `body`.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
