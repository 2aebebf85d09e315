import Foundation
import Glibc
import Testing

/// Tests a reflector against hostile packets: it answers valid probes, counts the rest, and continues.
@Suite(.serialized, .needsRoot)
struct HostileReflectorTests {
    private static let target = Lab.ipv4(.b)

    /// Requires the reflector to still answer, with the layout of RFC 8762.
    private func requireAnswer(_ endpoint: UDPEndpoint, sourceLocation: SourceLocation = #_sourceLocation) throws {
        endpoint.send(Bytes.probe(777, ssid: 7777), to: Self.target)
        while let reply = endpoint.receive() {
            guard reply.payload.count == 44, Bytes.read(reply.payload, 14, as: UInt16.self) == 7777 else { continue }
            #expect(Bytes.read(reply.payload, 24, as: UInt32.self) == 777, sourceLocation: sourceLocation)
            return
        }
        Issue.record("the reflector does not answer", sourceLocation: sourceLocation)
    }

    @Test func `Every prefix of a probe's payload gets a reply of full length, or is counted as short`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let endpoint = try UDPEndpoint(lab, .a)
            let tlvs =
                Bytes.tlv(3, [0, 0, 0, 0]) + Bytes.tlv(7, [UInt8](repeating: 0, count: 16))
                + Bytes.tlv(240, [UInt8](repeating: 9, count: 240)) + Bytes.tlv(4, [0xB8, 0, 0, 0])
                + Bytes.tlv(1, [0, 0, 0, 0])
            let probe = Bytes.probe(5, ssid: 0, tlvs: tlvs)
            for length in 0...probe.count {
                endpoint.send(Array(probe[..<length]), to: Self.target)
                guard length >= 14 else { continue }
                let reply = try #require(endpoint.receive(), "no reply to \(length) bytes").payload
                #expect(reply.count == max(44, length))
                #expect(Bytes.read(reply, 0, as: UInt32.self) == UInt32(length - 14))
                #expect(Array(reply[24..<36]) == Array(probe[..<12]))
            }
            let summary = try await lab.finish(reflector)
            #expect(summary["short"] == 14)
            #expect(summary["probes"] == probe.count - 13)
            #expect(summary["replies"] == probe.count - 13)
            #expect(summary["duplicates"] == probe.count - 14)
            #expect(summary["sessions"] == 1)
            #expect(summary["malformed"] == 0 && summary["corrupt"] == 0)
        }
    }

    @Test func `Every prefix of a probe's frame that reaches the port is counted as malformed`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let frame = Bytes.frame(Bytes.probe(1), from: .a, sourcePort: 50_000, destinationPort: 862)
            for length in 14..<frame.count { socket.send(Array(frame[..<length])) }
            let endpoint = try UDPEndpoint(lab, .a)
            try requireAnswer(endpoint)
            let summary = try await lab.finish(reflector)
            // The socket filter matches the ports: frames that end before them do not reach the reflector.
            #expect(summary["malformed"] == frame.count - 38)
            #expect(summary["probes"] == 1)
            #expect(summary["corrupt"] == 0)
        }
    }

    @Test func `Each random payload is answered or counted as short, and its SSID selects the session`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let endpoint = try UDPEndpoint(lab, .a)
            var random = RepeatableRandom(seed: 862)
            var sessions: Set<UInt16> = [7777]
            var short = 0
            for _ in 0..<1000 {
                let payload = random.bytes(
                    Int.random(in: 0...(Bool.random(using: &random) ? 60 : 1400), using: &random))
                endpoint.send(payload, to: Self.target)
                if payload.count < 14 {
                    short += 1
                    continue
                }
                sessions.insert(payload.count < 16 ? 0 : Bytes.read(payload, 14, as: UInt16.self))
                let reply = try #require(endpoint.receive(), "no reply to \(payload)").payload
                #expect(reply.count == max(44, payload.count))
            }
            try requireAnswer(endpoint)
            let summary = try await lab.finish(reflector)
            #expect(summary["short"] == short)
            #expect(summary["probes"] == 1001 - short)
            #expect(summary["replies"] == 1001 - short)
            #expect(summary["sessions"] == sessions.count)
            #expect(summary["send_errors"] == 0)
        }
    }

    @Test func `A frame with one changed byte is counted as corrupt, and frames with random headers are not answered`()
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let frame = Bytes.frame(Bytes.probe(1), from: .a, sourcePort: 50_000, destinationPort: 862)
            var random = RepeatableRandom(seed: 1)
            for offset in 42..<frame.count {
                var changed = frame
                changed[offset] ^= UInt8.random(in: 1...255, using: &random)
                socket.send(changed)
            }
            // The IPv4 header checksum: the time to live is changed.
            var changed = frame
            changed[22] ^= 1
            socket.send(changed)
            for _ in 0..<2000 {
                var noise = Array(frame[..<14]) + random.bytes(Int.random(in: 0...200, using: &random))
                // Half of them look like UDP to the port.
                if noise.count >= 42, Bool.random(using: &random) {
                    noise.replaceSubrange(14..<42, with: frame[14..<42])
                    noise[Int.random(in: 14..<38, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                socket.send(noise)
            }
            let endpoint = try UDPEndpoint(lab, .a)
            try requireAnswer(endpoint)
            let summary = try await lab.finish(reflector)
            #expect(summary["corrupt"] ?? 0 >= 45)
            #expect(summary["probes"] == 1, "only the last one was intact")
            #expect(summary["replies"] == 1)
        }
    }

    @Test func `Fragments and frames to broadcast or multicast addresses are counted and not answered`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            for mac in ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"] {
                socket.send(
                    Bytes.frame(
                        Bytes.probe(1), from: .a, sourcePort: 50_000, destinationPort: 862, destinationMAC: mac))
            }
            // "More fragments": the checksum decreases by the amount by which the flags increase.
            var fragment = Bytes.frame(Bytes.probe(1), from: .a, sourcePort: 50_000, destinationPort: 862)
            fragment[20] = 0x20
            fragment[24] &+= 0x20
            socket.send(fragment)
            let endpoint = try UDPEndpoint(lab, .a)
            try requireAnswer(endpoint)
            let summary = try await lab.finish(reflector)
            #expect(summary["stray"] == 2)
            #expect(summary["malformed"] == 1)
            #expect(summary["corrupt"] == 0)
            #expect(summary["probes"] == 1)
        }
    }

    @Test func `The reflector's own reply, sent back to it as a probe, is rejected`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let endpoint = try UDPEndpoint(lab, .a)
            let reply = try endpoint.exchange(Bytes.probe(1), Self.target)
            let loop = try UDPEndpoint(lab, .a, port: 862)
            for _ in 0..<10 { loop.send(reply, to: Self.target) }
            try requireAnswer(endpoint)
            #expect(loop.receive(within: 0) == nil)
            let summary = try await lab.finish(reflector)
            #expect(summary["loops_refused"] == 10)
            #expect(summary["probes"] == 2)
            #expect(summary["replies"] == 2)
        }
    }

    @Test(arguments: ["packet", "udp"])
    func `Two reflectors do not bounce a packet between each other`(_ transport: String) async throws {
        try await Lab.with { lab in
            let options = ["--transport", transport]
            let reflector = try await lab.startReflector(options)
            let other = try lab.start(
                .a, ["reflect", "--interface", Lab.interface, "--output", "json", "--quiet"] + options)
            try await other.waitForError("Answering")
            // Frames as `a`'s reflector would send them.
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            for sequence in UInt32(0)..<5 {
                socket.send(Bytes.frame(Bytes.probe(sequence), from: .a, sourcePort: 862, destinationPort: 862))
            }
            let endpoint = try UDPEndpoint(lab, .a)
            try requireAnswer(endpoint)
            let summary = try await lab.finish(reflector)
            let otherSummary = try await lab.finish(other)
            #expect(summary["loops_refused"] == 5)
            #expect(summary["replies"] == 1)
            #expect(otherSummary["probes"] == 0)
            #expect(otherSummary["loops_refused"] == 0)
        }
    }

    @Test func `Each of a thousand concurrent sessions has its own reply sequence`() async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let endpoint = try UDPEndpoint(lab, .a)
            for round in UInt32(0)..<3 {
                for ssid in UInt16(1)...1000 {
                    let reply = try endpoint.exchange(Bytes.probe(round + 40, ssid: ssid), Self.target)
                    #expect(Bytes.read(reply, 0, as: UInt32.self) == round)
                    #expect(Bytes.read(reply, 14, as: UInt16.self) == ssid)
                }
            }
            let summary = try await lab.finish(reflector)
            #expect(summary["sessions"] == 1000)
            #expect(summary["sessions_refused"] == 0)
            #expect(summary["replies"] == 3000)
        }
    }

    @Test func `Of five thousand sessions 4096 are answered, the others rejected, and the existing ones continue`()
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector()
            let endpoint = try UDPEndpoint(lab, .a)
            for ssid in UInt16(1)...4096 { _ = try endpoint.exchange(Bytes.probe(0, ssid: ssid), Self.target) }
            for ssid in UInt16(4097)...5000 { endpoint.send(Bytes.probe(0, ssid: ssid), to: Self.target) }
            let reply = try endpoint.exchange(Bytes.probe(1, ssid: 1), Self.target)
            #expect(Bytes.read(reply, 14, as: UInt16.self) == 1, "no rejected session was answered")
            #expect(Bytes.read(reply, 0, as: UInt32.self) == 1)
            let summary = try await lab.finish(reflector)
            #expect(summary["sessions"] == 4096)
            #expect(summary["sessions_refused"] == 904)
            #expect(summary["replies"] == 4097)
        }
    }

    @Test func `Over an ordinary socket a probe from port 0 is not answered, and every other probe is`()
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(["--transport", "udp", "--port", "8620"])
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let endpoint = try UDPEndpoint(lab, .a)
            let port = try endpoint.port
            // Stopped, so that it reads all of them in one batch.
            reflector.signal(SIGSTOP)
            for sequence in UInt32(0)..<60 {
                // No reply can be sent to port 0.
                socket.send(
                    Bytes.frame(
                        Bytes.probe(sequence), from: .a, sourcePort: sequence % 3 == 1 ? 0 : port,
                        destinationPort: 8620))
            }
            reflector.signal(SIGCONT)
            for _ in 0..<40 { try #require(endpoint.receive() != nil) }
            let summary = try await lab.finish(reflector)
            #expect(summary["stray"] == 20)
            #expect(summary["probes"] == 40)
            #expect(summary["replies"] == 40)
            #expect(summary.value("stamps.balanced") as? Bool == true)
        }
    }

    @Test func `A sender outside --allow is not answered, over either transport`() async throws {
        try await Lab.with { lab in
            try lab.ip(.a, "addr add 192.0.2.129/32 dev probe0")
            try lab.ip(.b, "neigh add 192.0.2.129 lladdr \(Lab.mac(.a)) dev probe0")
            for (transport, port) in [("packet", UInt16(862)), ("udp", 8620)] {
                let reflector = try await lab.startReflector([
                    "--transport", transport, "--port", "\(port)", "--allow", "192.0.2.0/25", "--allow",
                    "198.51.100.0/24",
                ])
                let allowed = try UDPEndpoint(lab, .a, address: "192.0.2.1")
                let outside = try UDPEndpoint(lab, .a, address: "192.0.2.129")
                for sequence in UInt32(0)..<5 { outside.send(Bytes.probe(sequence), to: Self.target, port: port) }
                _ = try allowed.exchange(Bytes.probe(0), Self.target, port: port)
                #expect(outside.receive(within: 0) == nil)
                let summary = try await lab.finish(reflector)
                #expect(summary["replies"] == 1)
                // The packet socket's filter drops them before the reflector.
                #expect(summary["not_allowed"] == (transport == "udp" ? 5 : 0))
            }
        }
    }
}
