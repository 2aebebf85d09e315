import Foundation
import LinuxKernel
import Report
import Testing

/// Tests changes of neighbours and addresses in mid-run: the kernel's notifications are followed within 200 ms.
@Suite(.serialized, .needsRoot)
struct PathChangeTests {
    private static let limitNanoseconds: Int64 = 200_000_000

    private func octets(_ mac: String) -> [UInt8] { mac.split(separator: ":").compactMap { UInt8($0, radix: 16) } }

    /// Expects the probes that leave more than 200 ms after a change to have a destination MAC address.
    private func expectFollowed(
        _ packets: [Capture.Packet], after time: Int64, to mac: String, until end: Int64,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let probes = packets.of(.probe, outgoing: true).filter { (time...end).contains($0.stamp) }
        let first = try #require(
            probes.first { $0.frame.destinationMAC == octets(mac) }, "no probe to \(mac)",
            sourceLocation: sourceLocation)
        #expect(first.stamp - time < Self.limitNanoseconds, sourceLocation: sourceLocation)
        #expect(
            probes.filter { $0.stamp >= first.stamp }.allSatisfy { $0.frame.destinationMAC == octets(mac) },
            "it is not forgotten", sourceLocation: sourceLocation)
    }

    /// Changes the path three times in mid-run, and expects each change to be followed: a check once a second would
    /// be in time for each by chance only.
    private func expectFollowed(
        _ lab: Lab, _ macs: [String], change: (_ mac: String) throws -> Void
    ) async throws {
        let capture = try Capture(lab, .a)
        let run = try lab.startRun(.a, ["--rate", "200"])
        try await run.waitForRows(100, in: lab.log(.a))
        var changes: [(time: Int64, mac: String)] = []
        for mac in macs {
            try change(mac)
            changes.append((ClockID.realtime.now(), mac))
            try await run.waitForErrorLine("The next hop's MAC address is now \(mac)")
            let rows = FileManager.default.contents(atPath: lab.log(.a))?.count { $0 == UInt8(ascii: "\n") } ?? 0
            try await run.waitForRows(rows + 20, in: lab.log(.a))
        }
        let end = ClockID.realtime.now()
        _ = try await lab.finish(run)
        let packets = capture.end()
        for (index, change) in changes.enumerated() {
            // Before the next change its command has already run for a moment.
            let next = index + 1 < changes.count ? changes[index + 1].time - Self.limitNanoseconds : end
            try expectFollowed(packets, after: change.time, to: change.mac, until: next)
        }
    }

    @Test func `A neighbour entry that is replaced in mid-run is followed within 200 ms`() async throws {
        try await Lab.with { lab in
            _ = try await lab.startReflector()
            let macs = ["02:00:00:00:08:a1", "02:00:00:00:08:a2", "02:00:00:00:08:a3"]
            try await expectFollowed(lab, macs) { mac in
                try lab.ip(.a, "neigh replace \(Lab.ipv4(.b)) lladdr \(mac) dev probe0 nud permanent")
            }
        }
    }

    @Test func `A new MAC address of the peer is followed within 200 ms, and replies go on`() async throws {
        try await Lab.with(neighbours: .resolved) { lab in
            // The peer announces its new address (arp_notify), and this host believes it at once (locktime).
            try lab.run(.b, ["sysctl", "-q", "net.ipv4.conf.probe0.arp_notify=1"])
            try lab.run(.a, ["sysctl", "-q", "net.ipv4.neigh.probe0.locktime=0"])
            let reflector = try await lab.startReflector()
            let macs = ["02:00:00:00:08:b1", "02:00:00:00:08:b2", "02:00:00:00:08:b3"]
            try await expectFollowed(lab, macs) { mac in try lab.ip(.b, "link set probe0 address \(mac)") }
            let log = try Log(lab.log(.a))
            let last = try #require(log.replies.filter { $0.status == .ok }.map(\.sequence).max())
            let sent = try #require(log.probes.map(\.sequence).max())
            #expect(last + 5 > sent, "the newest probes are answered")
            _ = try await lab.finish(reflector)
        }
    }

    @Test func `A reflector answers a new address at once`() async throws {
        try await Lab.with(neighbours: .resolved) { lab in
            let reflector = try await lab.startReflector()
            let client = try UDPEndpoint(lab, .a)
            #expect(try client.exchange(Bytes.probe(1), Lab.ipv4(.b)).count == 44)
            for number in 50..<53 as Range<UInt32> {
                let address = "192.0.2.\(number)"
                try lab.ip(.b, "addr add \(address)/24 dev probe0")
                let start = ClockID.monotonic.now()
                var isAnswered = false
                while !isAnswered, ClockID.monotonic.now() - start < 5_000_000_000 {
                    client.send(Bytes.probe(number), to: address)
                    isAnswered = client.receive(within: 10) != nil
                }
                #expect(isAnswered)
                #expect(ClockID.monotonic.now() - start < Self.limitNanoseconds)
                while client.receive(within: 20) != nil {}
            }
            // An address that is removed is not answered any more.
            try lab.ip(.b, "addr del 192.0.2.50/24 dev probe0")
            _ = try await lab.finish(reflector)
        }
    }
}
