import Glibc
import LinuxKernel
import Report
import Testing

/// Tests `--transport l2` between interfaces without an IP address, and its frames on the wire.
@Suite(.serialized, .needsRoot)
struct L2TransportTests {
    /// One combination of frame options, and the expected frames.
    struct FrameOptions: Sendable, CustomTestStringConvertible {
        /// Options for both sides.
        var both: [String] = []
        /// Options for the sender only.
        var sender: [String] = []
        var tag: UInt16?
        var isPTP = false
        /// Bytes of the frame besides the STAMP packet.
        var frameBytes: Int
        var testDescription: String { (both + sender).joined(separator: " ") }
    }

    static let combinations = [
        FrameOptions(frameBytes: 26),
        FrameOptions(both: ["--frame", "ordinary"], sender: ["--size", "401"], frameBytes: 26),
        FrameOptions(both: ["--frame", "ptp"], isPTP: true, frameBytes: 74),
        FrameOptions(both: ["--frame", "ptp"], sender: ["--size", "401"], isPTP: true, frameBytes: 75),
        FrameOptions(both: ["--vlan", "7"], sender: ["--priority", "5"], tag: 0xA007, frameBytes: 30),
        FrameOptions(both: ["--vlan", "4094"], tag: 4094, frameBytes: 30),
        FrameOptions(sender: ["--priority", "3"], tag: 0x6000, frameBytes: 30),
        FrameOptions(
            both: ["--frame", "ptp", "--vlan", "7"], sender: ["--priority", "7"], tag: 0xE007, isPTP: true,
            frameBytes: 78),
    ]

    private static let count = 50

    private func run(_ side: Lab.Side, _ lab: Lab, _ options: [String]) throws -> ProbeProcess {
        try lab.start(
            side,
            ["run", "--interface", Lab.interface, "--peer", Lab.mac(side.other), "--transport", "l2"]
                + ["--output", "json", "--quiet", "--log", lab.log(side), "--rate", "500"] + options)
    }

    /// Removes all IPv4 and IPv6 addresses.
    private func removeAddresses(_ lab: Lab) throws {
        for side in Lab.Side.allCases {
            try lab.ip(side, "addr flush dev probe0")
            try #require(try lab.ip(side, "addr show dev probe0").contains("inet") == false)
        }
    }

    @Test(arguments: combinations)
    func `A run without an IP address measures both directions, and its frames are as documented`(
        _ options: FrameOptions
    ) async throws {
        try await Lab.with { lab in
            try removeAddresses(lab)
            let reflector = try await lab.startReflector(["--transport", "l2", "--log", lab.log(.b)] + options.both)
            let socketA = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let socketB = try RawSocket(namespace: lab.namespace(.b), interface: Lab.interface)
            let summary = try await run(.a, lab, ["--count", "\(Self.count)"] + options.both + options.sender).summary()
            _ = try await lab.finish(reflector)
            let sent = try #require(summary["counters.sent"])
            try #require(sent > 0)
            #expect(summary["counters.received"] == sent)
            #expect(summary.value("peer") as? String == Lab.mac(.b))
            #expect(summary.value("stamps.balanced") as? Bool == true)
            let probes = socketA.outgoing()
            let replies = socketB.outgoing()
            #expect(probes.count >= sent && replies.count >= sent)
            for (frames, from) in [(probes, Lab.Side.a), (replies, .b)] {
                for frame in frames {
                    #expect(frame.destinationMAC == Self.octets(from.other) && frame.sourceMAC == Self.octets(from))
                    // On the sending side the tag is still in the frame.
                    #expect(frame.tag == options.tag && frame.isPTP == options.isPTP)
                    #expect(frame.bytes.count == options.frameBytes + frame.packet.count)
                }
            }
            let size = try #require(probes.first?.packet.count)
            #expect((probes + replies).allSatisfy { $0.packet.count == size })
            if options.sender.contains("--size") { #expect(size == 401) }
            try checkRows(lab, summary, sent, frameBytes: options.frameBytes + size)
            #expect(probes.allSatisfy { $0.destinationPort == 862 && $0.sourcePort >= 49152 })
            #expect(replies.allSatisfy { $0.sourcePort == 862 && $0.destinationPort == probes.first?.sourcePort })
            if options.isPTP {
                #expect(Set(probes.map(\.ptpSequence)).count == probes.count, "PTP sequence numbers are unique")
                #expect(Set(replies.map(\.ptpSequence)).count == replies.count)
                #expect(
                    probes.allSatisfy { $0.ptpSequence < 0x8000 } && replies.allSatisfy { $0.ptpSequence >= 0x8000 })
            }
        }
    }

    private func checkRows(_ lab: Lab, _ summary: Summary, _ sent: Int, frameBytes: Int) throws {
        let session = try summary.session
        let logs = [try Log(lab.log(.a)), try Log(lab.log(.b)).session(session)]
        for log in logs {
            #expect(log.probes.count == sent && log.replies.count == sent)
            for row in log.rows {
                #expect(row.ttl == nil && row.dscp == nil, "there is no IP header")
                #expect(Int(row.bytes) == frameBytes)
                #expect(row.status == .ok && row.delay != nil && row.delayClock == .software)
            }
        }
    }

    private static func octets(_ side: Lab.Side) -> [UInt8] {
        Lab.mac(side).split(separator: ":").map { UInt8($0, radix: 16)! }
    }

    @Test(arguments: [[], ["--frame", "ptp", "--vlan", "12"]])
    func `Two runs towards each other measure at the same time, each in its own session`(_ options: [String])
        async throws
    {
        try await Lab.with { lab in
            try removeAddresses(lab)
            let more = ["--count", "\(Self.count)", "--log-reflected"] + options
            let processes = (b: try run(.b, lab, more), a: try run(.a, lab, more))
            for (process, side) in [(processes.a, Lab.Side.a), (processes.b, .b)] {
                let summary = try await process.summary()
                let sent = try #require(summary["counters.sent"])
                let local = try Log(lab.log(side)).session(try summary.session)
                #expect(local.probes.count == sent && local.replies.count == sent)
                #expect(try Log(lab.log(side)).others(than: try summary.session).probes.isEmpty == false)
            }
        }
    }

    @Test(arguments: [
        (["--vlan", "8"], ["--vlan", "7"]), ([], ["--vlan", "7"]), (["--vlan", "7"], []),
        (["--frame", "ptp"], []), ([], ["--frame", "ptp"]), (["--port", "863"], []),
    ])
    func `A VLAN, frame or port that differs from the reflector's gets no reply, and the message names what to check`(
        _ sender: [String], _ reflector: [String]
    ) async throws {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(["--transport", "l2"] + reflector)
            let run = try run(.a, lab, ["--count", "\(Self.count)", "--timeout", "20ms"] + sender)
            try await run.waitForError("No answer yet")
            run.signal(SIGINT)
            #expect(try await run.exit() == 2)
            #expect(run.errors.contains("No reply came from \(Lab.mac(.b))") && run.errors.contains("--frame"))
            #expect(run.errors.contains("rx-vlan-filter") == sender.contains("--vlan"))
            let summary = try await lab.finish(reflector)
            #expect(summary["probes"] == 0 && summary["replies"] == 0)
        }
    }

    @Test(arguments: [false, true])
    func `The largest packet that fits the MTU passes, and one byte more is rejected before anything is sent`(
        _ isPTP: Bool
    ) async throws {
        try await Lab.with { lab in
            let options = isPTP ? ["--frame", "ptp", "--vlan", "3"] : ["--vlan", "3"]
            let room = 1500 - (isPTP ? 60 : 12)
            let reflector = try await lab.startReflector(["--transport", "l2"] + options)
            let summary = try await run(.a, lab, ["--count", "20", "--size", "\(room)"] + options).summary()
            #expect(summary["counters.received"] == summary["counters.sent"])
            let oversized = try run(.a, lab, ["--count", "20", "--size", "\(room + 1)", "--force"] + options)
            #expect(try await oversized.exit() == 64)
            #expect(oversized.errors.contains("at most \(room) do"))
            _ = try await lab.finish(reflector)
        }
    }

    @Test func `The port is reserved: a second instance finds it in use, over IP too`() async throws {
        try await Lab.with { lab in
            try removeAddresses(lab)
            let first = try await lab.startReflector(["--transport", "l2"])
            for transport in ["l2", "packet"] {
                let second = try lab.start(.b, ["reflect", "--interface", Lab.interface, "--transport", transport])
                #expect(try await second.exit() == 6)
            }
            _ = try await lab.finish(first)
        }
    }

    @Test
    func `The interface's own MAC address as the peer, a missing carrier and an interface that is down are errors`()
        async throws
    {
        try await Lab.with { lab in
            let looped = try lab.start(
                .a, ["run", "--interface", Lab.interface, "--transport", "l2", "--peer", Lab.mac(.a)])
            #expect(try await looped.exit() == 64)
            #expect(looped.errors.contains("itself"))
            try lab.ip(.b, "link set probe0 down")
            let uncabled = try run(.a, lab, [])
            #expect(try await uncabled.exit() == 3)
            #expect(uncabled.errors.contains("no carrier"))
            for command in [["run", "--peer", Lab.mac(.a)], ["reflect"]] {
                let down = try lab.start(.b, command + ["--interface", Lab.interface, "--transport", "l2"])
                #expect(try await down.exit() == 3)
                #expect(down.errors.contains("down"))
            }
        }
    }

    // MARK: - Hostile frames

    /// Returns the received frames up to the first one to `port`.
    private func replies(_ socket: borrowing RawSocket, until port: UInt16) throws -> [L2WireFrame] {
        var found: [L2WireFrame] = []
        let deadline = ClockID.monotonic.now() + 5_000_000_000
        while found.last?.destinationPort != port {
            if let received = socket.receive() {
                if !received.isOutgoing, let frame = L2WireFrame(received.bytes) { found.append(frame) }
                continue
            }
            let remaining = deadline - ClockID.monotonic.now()
            try #require(remaining > 0, "no reply to port \(port) within 5 s; \(found.count) other frames")
            socket.wait(nanoseconds: remaining)
        }
        return found
    }

    @Test(arguments: [false, true])
    func `Only a frame with the magic number, to the reflector's port and address, from a unicast sender, is answered`(
        _ isPTP: Bool
    ) async throws {
        try await Lab.with { lab in
            try removeAddresses(lab)
            let reflector = try await lab.startReflector(["--transport", "l2"] + (isPTP ? ["--frame", "ptp"] : []))
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            var frames = L2Bytes(isPTP: isPTP)
            func send(_ change: (inout L2Bytes) -> Void) {
                var changed = frames
                change(&changed)
                socket.send(changed.frame(Bytes.probe(1), from: .a))
            }
            send { $0.magic = 0x4F57_4C33 }
            send { $0.destinationPort = 863 }
            send { $0.isPTP = !isPTP }
            send { $0.tag = 9 }
            send { $0.destinationMAC = "ff:ff:ff:ff:ff:ff" }
            send { $0.destinationMAC = "02:00:00:00:00:99" }
            // These pass the socket filter, and the reflector rejects them.
            send { $0.sourcePort = 862 }
            send { $0.sourcePort = 0 }
            for source in [[UInt8](repeating: 0xFF, count: 6), [1, 0, 0x5E, 0, 0, 1], [0, 0, 0, 0, 0, 0]] {
                var forged = frames.frame(Bytes.probe(1), from: .a)
                forged.replaceSubrange(6..<12, with: source)
                socket.send(forged)
            }
            socket.send(frames.frame([1, 2, 3], from: .a))
            var version = frames.frame(Bytes.probe(1), from: .a)
            version[isPTP ? 66 : 18] = 2
            socket.send(version)
            var cut = frames.frame(Bytes.probe(1), from: .a)
            cut[isPTP ? 69 : 21] = 200
            socket.send(cut)

            frames.sourcePort = 50_001
            socket.send(frames.frame(Bytes.probe(7), from: .a) + [UInt8](repeating: 0xAA, count: 30))
            let replies = try replies(socket, until: 50_001)
            #expect(replies.count == 1, "only the last one is answered")
            #expect(replies.last?.packet.count == 44, "the padding is not part of the packet")
            #expect(replies.last.map { Bytes.read($0.packet, 24, as: UInt32.self) } == 7)
            #expect(replies.last?.packet[40] == 0, "there is no TTL")
            let summary = try await lab.finish(reflector)
            #expect(summary["probes"] == 1 && summary["replies"] == 1)
            #expect(summary["loops_refused"] == 1 && summary["stray"] == 4)
            #expect(summary["malformed"] == 2 && summary["short"] == 1)
        }
    }

    @Test func `In promiscuous mode, frames to other hosts are not answered`() async throws {
        try await Lab.with { lab in
            try lab.ip(.b, "link set probe0 promisc on")
            let reflector = try await lab.startReflector(["--transport", "l2"])
            let socket = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            var other = L2Bytes()
            other.destinationMAC = "02:00:00:00:00:99"
            for _ in 0..<5 { socket.send(other.frame(Bytes.probe(1), from: .a)) }
            socket.send(L2Bytes(sourcePort: 50_001).frame(Bytes.probe(1), from: .a))
            #expect(try replies(socket, until: 50_001).count == 1)
            #expect(try await lab.finish(reflector)["probes"] == 1)
        }
    }

    @Test func `A reflector without --vlan copies the probe's tag into the reply, drop-eligible bit included`()
        async throws
    {
        try await Lab.with { lab in
            let reflector = try await lab.startReflector(["--transport", "l2"])
            let socketA = try RawSocket(namespace: lab.namespace(.a), interface: Lab.interface)
            let socketB = try RawSocket(namespace: lab.namespace(.b), interface: Lab.interface)
            let tags: [UInt16?] = [nil, 0xE000, 0x1000, 0x5000]
            for (number, tag) in tags.enumerated() {
                socketA.send(
                    L2Bytes(tag: tag, sourcePort: 50_000 + UInt16(number)).frame(Bytes.probe(1), from: .a))
            }
            _ = try replies(socketA, until: 50_003)
            #expect(socketB.outgoing().map(\.tag) == tags)
            _ = try await lab.finish(reflector)
        }
    }
}

extension RawSocket {
    /// Returns the non-IP frames that this side has sent since the last call.
    fileprivate func outgoing() -> [L2WireFrame] {
        var found: [L2WireFrame] = []
        while let received = receive() {
            if received.isOutgoing, let frame = L2WireFrame(received.bytes) { found.append(frame) }
        }
        return found
    }
}
