import CLinux
import Foundation
import LinuxKernel
import Netlink
import NetworkAddresses
import Testing

@testable import Conntrack

/// Tests of the kernel's events, and of exact counts of missed ones.
@Suite(.serialized, .enabled(if: LiveNamespace.isPossible, LiveNamespace.comment)) struct LiveEventsTests {
    private let two: UInt32 = 0xC000_0202

    /// Receives events until none arrives for a fifth of a second, or until `wanted` have arrived.
    private func events(_ listener: ConntrackEvents, _ wanted: Int = .max) throws -> [FlowEvent] {
        var seen: [FlowEvent] = []
        while seen.count < wanted {
            // Events are queued before the call that causes them returns.
            let timeout: Int64 = wanted == .max ? 200_000_000 : 5_000_000_000
            if try listener.next(until: ClockID.monotonic.now() + timeout, { seen.append(copy $0) }) == 0 { break }
        }
        return seen
    }

    @Test func `A flow's creation, update and destruction are received`() throws {
        let namespace = try LiveNamespace(settings: ["nf_conntrack_acct=1", "nf_conntrack_timestamp=1"])
        let listener = try ConntrackEvents(namespace: namespace.name)
        let table = try ConntrackTable(namespace: namespace.name)
        #expect(listener.bufferBytes >= 16 << 20)
        let a = try namespace.socket()
        let b = try namespace.socket(port: 5000)
        a.send(to: two, 5000)
        b.send(to: two, a.port)
        let flow = try #require(try table.flow(tuple(.udp, "192.0.2.2:\(a.port)", "192.0.2.2:5000")))
        #expect(try table.delete(flow.original))
        let seen = try events(listener, 3)
        #expect(seen.map(\.kind) == [.new, .update, .destroy])
        #expect(seen.allSatisfy { $0.flow.original == flow.original && $0.flow.id == flow.id })
        #expect(seen.allSatisfy { $0.flow.namespaceID == nil })
        let end = seen[2].flow
        #expect(end.originalCounters?.packets == 1 && end.replyCounters?.packets == 1)
        #expect((end.stopTime ?? 0) > (end.startTime ?? .max))
        #expect(listener.account.received == 3 && listener.account.total == 3)
    }

    @Test func `Only the requested kinds of events are received`() throws {
        let namespace = try LiveNamespace()
        var options = ConntrackEvents.Options()
        options.kinds = [.destroy]
        let listener = try ConntrackEvents(namespace: namespace.name, options)
        let sender = try namespace.socket()
        sender.send(to: two, 5000)
        let table = try ConntrackTable(namespace: namespace.name)
        #expect(try table.delete(tuple(.udp, "192.0.2.2:\(sender.port)", "192.0.2.2:5000")))
        #expect(try events(listener).map(\.kind) == [.destroy])
    }

    @Test(arguments: ["192.0.2.1 192.0.2.2", "2001:db8::1 2001:db8::2"])
    func `Events of one UDP port are received, at either end, before or after translation`(ends: String) throws {
        let namespace = try LiveNamespace()
        var options = ConntrackEvents.Options()
        options.udpPort = 862
        let listener = try ConntrackEvents(namespace: namespace.name, options)
        let (source, destination) = (ends.split(separator: " ")[0], ends.split(separator: " ")[1])
        // Source and destination port of the original tuple and of the reply tuple.
        for ports in [
            [1, 2, 2, 1], [862, 3, 3, 862], [4, 862, 862, 4], [5, 6, 862, 5], [7, 8, 8, 862], [9, 10, 10, 9],
        ] {
            try namespace.shell(
                """
                conntrack -I -p udp -t 90 -s \(source) -d \(destination) -r \(destination) -q \(source) \
                --sport \(ports[0]) --dport \(ports[1]) --reply-port-src \(ports[2]) --reply-port-dst \(ports[3])
                """)
        }
        try namespace.shell(
            """
            conntrack -I -p tcp -t 90 -s \(source) -d \(destination) -r \(destination) -q \(source) \
            --sport 11 --dport 862 --reply-port-src 862 --reply-port-dst 11 --state ESTABLISHED
            """)
        var received: [UInt16?] = []
        while try listener.next(until: ClockID.monotonic.now(), { received.append($0.flow.original.sourcePort) }) > 0 {}
        #expect(received == [862, 4, 5, 7])
    }

    @Test(arguments: ["192.0.2.1:7 192.0.2.2:8", "[2001:db8::1]:7 [2001:db8::2]:8"])
    func `Events of one flow are received, given any of its tuples`(ends: String) throws {
        let namespace = try LiveNamespace()
        let parts = ends.split(separator: " ").map(String.init)
        let plain = tuple(.udp, parts[0], parts[1])
        let isIPv4 = plain.source.isIPv4
        // The destination before translation.
        let outside = isIPv4 ? "198.51.100.9" : "2001:db8:9::9"
        let before = FlowTuple(.udp, from: plain.source, port: 7, to: address(outside), port: 8)
        for (seenAs, isTranslated) in [
            (plain, false), (plain.inverted, false), (before, true), (before.inverted, true), (plain, true),
            (plain.inverted, true),
        ] {
            var options = ConntrackEvents.Options()
            options.flow = seenAs
            let listener = try ConntrackEvents(namespace: namespace.name, options)
            let insert = "conntrack -I -p udp -t 90 -s \(plain.source) --sport"
            func add(_ sourcePort: Int, _ destination: String, _ port: Int) throws {
                try namespace.shell(
                    """
                    \(insert) \(sourcePort) -d \(destination) --dport \(port) -r \(plain.destination) -q \(plain.source) \
                    --reply-port-src \(port) --reply-port-dst \(sourcePort)
                    """)
            }
            try add(9, "\(plain.destination)", 8)
            try add(7, "\(plain.destination)", 9)
            try namespace.shell(
                "conntrack -I -p tcp --state ESTABLISHED -t 90 -s \(plain.source) --sport 7 -d \(plain.destination) --dport 8"
            )
            try add(7, isTranslated ? outside : "\(plain.destination)", 8)
            let seen = try events(listener)
            #expect(seen.count == 1, "\(seenAs) \(isTranslated) \(seen)")
            #expect(seen.first?.flow.isTranslated == isTranslated)
            // The kernel filtered out the others.
            #expect(listener.account.received == 1)
            try namespace.shell("conntrack -F")
        }
    }

    @Test func `Events of other namespaces carry the namespace's id`() throws {
        let (here, there) = (try LiveNamespace(), try LiveNamespace(settings: ["nf_conntrack_events=1"]))
        try LiveNamespace.shell("ip -n \(here.name) netns set \(there.name) 4242")
        var options = ConntrackEvents.Options()
        options.allNamespaces = true
        let listener = try ConntrackEvents(namespace: here.name, options)
        (try here.socket()).send(to: two, 5000)
        (try there.socket()).send(to: two, 5001)
        let seen = try events(listener, 2)
        #expect(seen.map(\.flow.namespaceID) == [nil, 4242])
        #expect(seen.map(\.flow.original.destinationPort) == [5000, 5001])
    }

    /// Sends `count` UDP packets, each of a different flow, and returns the number sent.
    private func storm(_ sender: borrowing LiveNamespace.Sender, _ count: Int, from first: Int = 0) -> Int {
        var sent = 0
        for index in first..<first + count
        where sender.send(to: 0x7F00_0001 + UInt32(index / 50_000), UInt16(1000 + index % 50_000)) {
            sent += 1
        }
        return sent
    }

    @Test func `Every event lost to a full buffer is counted`() throws {
        let namespace = try LiveNamespace()
        var options = ConntrackEvents.Options()
        options.kinds = [.new]
        options.bufferBytes = 100_000
        options.limit = nil
        let listener = try ConntrackEvents(namespace: namespace.name, options)
        let sender = try namespace.socket()
        var sent = 0
        // Overruns the buffer three times and reads it in between.
        for round in 0..<3 {
            sent += storm(sender, 2000, from: 2000 * round)
            _ = try events(listener)
        }
        try listener.readCounters()
        #expect(sent == 6000)
        #expect(listener.account.total == 6000, "\(listener.account)")
        #expect(listener.account.lost > 3000 && listener.account.overruns == 3, "\(listener.account)")
        #expect(listener.account.leftOut == 0 && listener.account.trips == 0)
    }

    @Test func `Events unread at the end are counted, and later ones are not received`() throws {
        let namespace = try LiveNamespace()
        var options = ConntrackEvents.Options()
        options.kinds = [.new]
        options.bufferBytes = 100_000
        options.limit = nil
        let listener = try ConntrackEvents(namespace: namespace.name, options)
        let sender = try namespace.socket()
        #expect(storm(sender, 2000) == 2000)
        #expect(try events(listener, 10).count >= 10)
        #expect(storm(sender, 10, from: 2000) == 10)
        try listener.finish()
        #expect(storm(sender, 10, from: 2010) == 10)
        try listener.finish()
        let account = listener.account
        #expect(account.total == 2010 && account.unread >= 10, "\(account)")
    }

    @Test func `A storm is sampled, every event is counted, and then all events are received again`() throws {
        let namespace = try LiveNamespace()
        var options = ConntrackEvents.Options()
        options.kinds = [.new]
        options.limit = 2000
        let listener = try ConntrackEvents(namespace: namespace.name, options)
        let sender = try namespace.socket()
        var sent = 0
        let end = ClockID.monotonic.now() + 1_500_000_000
        while ClockID.monotonic.now() < end {
            sent += storm(sender, 500, from: sent)
            _ = try listener.next(until: 0) { _ in }
        }
        #expect(listener.fraction < 1 && listener.account.trips == 1, "\(listener.account)")
        while listener.fraction < 1, ClockID.monotonic.now() < end + 20_000_000_000 {
            _ = try listener.next(until: ClockID.monotonic.now() + 100_000_000) { _ in }
        }
        #expect(listener.fraction == 1)
        try listener.readCounters()
        let account = listener.account
        #expect(account.isLeftOutExact && account.total == sent, "\(account), \(sent) sent")
        #expect(account.leftOut > account.received, "\(account)")
        // All events are received again.
        #expect(storm(sender, 100, from: sent) == 100)
        #expect(try events(listener).count == 100)
    }

    @Test func `A sampler that cannot count estimates, and the account says so`() throws {
        let namespace = try LiveNamespace()
        var options = ConntrackEvents.Options()
        options.kinds = [.new]
        options.limit = 2000
        let connection = try NetlinkConnection(protocol: NETLINK_NETFILTER, namespace: namespace.name)
        let listener = try ConntrackEvents(connection: connection, options, sampler: EventSampler(mayCount: false))
        let sender = try namespace.socket()
        var sent = 0
        // About 5000 per second, so that both received and excluded events weigh in the total.
        let start = ClockID.monotonic.now()
        while ClockID.monotonic.now() < start + 2_500_000_000 {
            let due = Int((ClockID.monotonic.now() - start) / 200_000)
            sent += storm(sender, due - sent, from: sent)
            _ = try listener.next(until: ClockID.monotonic.now() + 10_000_000) { _ in }
        }
        _ = try events(listener)
        try listener.readCounters()
        let account = listener.account
        #expect(!account.isLeftOutExact && account.trips == 1 && account.leftOut > 0 && account.received > 2000)
        #expect(abs(Double(account.total) / Double(sent) - 1) < 0.15, "\(account), \(sent) sent")
    }
}
