import Foundation
import Testing

@testable import Report

@Suite struct PeerTableTests {
    /// A session whose figures all differ: 100 probes, 6 of them lost.
    private func session(
        _ peer: String, name: String? = nil, number: Int? = nil, relative: Bool = false, failure: String? = nil
    ) -> PeerTable.Session {
        var summary = sampleSummary(relative: relative)
        summary.peer = peer
        summary.peerName = name
        summary.peerNumber = number
        summary.replyLedger = nil
        summary.socket = nil
        summary.stampNotes = []
        return PeerTable.Session(summary: summary, sourcePort: 50_000, failure: failure)
    }

    private let endpoint = EndpointSummary(
        interface: "eth0", socket: .init(packets: 205, drops: 2, freezes: 1),
        replyLedger: TimestampLedger(sent: 1, kinds: [.init(name: "sched", stamped: 1)]),
        stampNotes: ["13 were busy."], counters: [("stray", 3), ("short", 0)])

    /// The lines of the table, without the endpoint's.
    private func rows(_ sessions: [PeerTable.Session], absent: [PeerTable.Absent] = [], width: Int = 80) -> [String] {
        let text = PeerTable(sessions, absent: absent, endpoint: endpoint).text(width: width)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            .prefix { !$0.hasPrefix("all sessions") }.dropLast()
    }

    @Test func `The text of three peers and their endpoint is exact to the byte`() {
        let table = PeerTable(
            [session("192.0.2.2"), session("2001:db8::2", name: "paris"), session("192.0.2.3", relative: true)],
            absent: [
                .init(
                    peer: "203.0.113.9", name: "oslo", reason: "no route to 203.0.113.9 through eth0. `ip route add`.")
            ], endpoint: endpoint)
        let expected = """
            peer      sent  lost fwd p50 fwd p99 rev p50 rev p99 rtt p50 rtt p99
            192.0.2.2  100 6.00%  12.8us  13.3us ~-951us ~-900us  -938us  -887us
            paris      100 6.00%  12.8us  13.3us ~-951us ~-900us  -938us  -887us
            192.0.2.3  100 6.00%  12.8us  13.3us ~-951us ~-900us  -938us  -887us
            ~ relative: the clocks' offset is unknown, so only the variation is exact

            no path, and no session:
              oslo (203.0.113.9): no route to 203.0.113.9 through eth0

            all sessions over eth0

            transmit timestamps    replies
                                     sched
            stamped                      1
            sum                          1
            sent                         1

            13 were busy.
            socket: packets 205, drops 2, freezes 1
            counters: stray 3

            """
        #expect(table.text(width: 80) == expected)
    }

    @Test func `A label that does not fit has a line of its own, whole`() {
        let long = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"
        let lines = rows([session(long), session("192.0.2.2")])
        #expect(lines[1] == long)
        #expect(lines[2].hasPrefix("             "))
        #expect(lines[2].hasSuffix("-887us"))
        #expect(lines[3].hasPrefix("192.0.2.2 "))
        #expect(rows([session(long)], width: 120)[1].hasPrefix(long + " "))
    }

    @Test func `Labels differ: of equal names with the addresses, of one peer's sessions with their numbers`() {
        let table = PeerTable(
            [
                session("192.0.2.2", name: "a"), session("192.0.2.3", name: "a"), session("192.0.2.4", number: 1),
                session("192.0.2.4", number: 2), session("192.0.2.5", name: "b", number: 1),
                session("192.0.2.5", name: "b", number: 2),
            ], endpoint: endpoint)
        #expect(
            table.labels() == ["a (192.0.2.2)", "a (192.0.2.3)", "192.0.2.4 #1", "192.0.2.4 #2", "b #1", "b #2"])
    }

    @Test(arguments: [80, 100, 200])
    func `A hundred peers with extreme figures fit the width, a line or two for each`(width: Int) {
        var peers = (0..<50).map { session("2001:db8:1111:2222:3333:4444:5555:\(String(6000 + $0, radix: 16))") }
        peers += (0..<50).map { session("192.0.2.\($0)", name: $0 % 2 == 0 ? "zürich-\($0)" : nil) }
        for index in peers.indices {
            peers[index].summary.probes.sent = 86_400_000
            peers[index].summary.totals.lostForward = 86_399_999
        }
        let lines = rows(peers, width: width)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.count <= 1 + 150 + 1)
        #expect(lines.contains { $0.contains(">99.99%") })
        let ends = Set(lines.dropFirst().filter { $0.hasSuffix("us") }.map(\.count))
        #expect(ends.count == 1, "the columns are aligned: \(ends)")
    }

    @Test func `A session without replies has dashes, and one that sent nothing no share`() {
        let summary = RunSummary(
            session: "1", peer: "192.0.2.2", interface: "eth0", duration: 0, statistics: SessionStatistics(),
            relative: true, clockNote: "", probes: .init(sent: 0), socket: nil)
        let lines = rows([.init(summary: summary, sourcePort: 1)])
        #expect(lines.count == 2, "nothing is marked as relative")
        #expect(lines[1].split(separator: " ") == ["192.0.2.2", "0"] + Array(repeating: "-", count: 7))
    }

    @Test func `A hundred unreachable peers have a line each`() {
        let absent = (0..<100).map { number in
            PeerTable.Absent(
                peer: "192.0.2.\(number)",
                reason: "no answer to ARP from 192.0.2.\(number) on probe0: check that the peer is up.")
        }
        let lines = rows([session("198.51.100.1")], absent: absent)
        #expect(lines.count(where: { $0.hasPrefix("  192.0.2.") && $0.hasSuffix(" on probe0") }) == 100)
    }

    @Test func `The JSON has an object for each peer, and the endpoint's facts`() throws {
        let json = PeerTable(
            [session("192.0.2.2"), session("192.0.2.3", name: "paris", failure: "No reply came.")],
            absent: [.init(peer: "203.0.113.9", reason: "no route: add one.")], endpoint: endpoint
        ).json()
        #expect(!json.contains("\n"))
        let figures =
            "\"session\":\"0123456789abcdef\",\"source_port\":50000,\"sent\":100,\"lost_forward\":1,\"lost_reverse\":2,"
            + "\"lost_unknown\":3,\"relative\":false,\"forward_p50_ns\":12843,\"forward_p99_ns\":13345,"
            + "\"reverse_p50_ns\":-951040,\"reverse_p99_ns\":-900000,\"rtt_p50_ns\":-938197,\"rtt_p99_ns\":-886645"
        #expect(
            json == "{\"type\":\"peers\",\"peers\":["
                + "{\"peer\":\"192.0.2.2\",\"name\":null,\(figures),\"error\":null},"
                + "{\"peer\":\"192.0.2.3\",\"name\":\"paris\",\(figures),\"error\":\"No reply came.\"},"
                + "{\"peer\":\"203.0.113.9\",\"name\":null,\"session\":null,\"error\":\"no route: add one.\"}],"
                + "\"endpoint\":{\"interface\":\"eth0\",\"reply_stamps\":{\"sent\":1,\"balanced\":true,\"sched\":{"
                + "\"stamped\":1,\"late\":0,\"buffer\":0,\"driver\":0,\"in-flight\":0,\"never\":0,\"unsupported\":0,"
                + "\"pending\":0}},\"stamp_notes\":[\"13 were busy.\"],"
                + "\"socket\":{\"packets\":205,\"drops\":2,\"freezes\":1},\"counters\":{\"stray\":3,\"short\":0}}}")
        #expect((try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])?.count == 3)
    }

    @Test func `The summary of one of several sessions has nothing of the endpoint`() {
        var summary = session("192.0.2.2", name: "paris", number: 2).summary
        summary.sendErrors = 0
        let text = summary.text()
        #expect(text.hasPrefix("session 0123456789abcdef to paris (192.0.2.2) #2 over eth0, 10.00 s\n"))
        #expect(!text.contains("socket:") && !text.contains("replies  ") && text.hasSuffix("wrong ssid 2\n"))
        #expect(!summary.json().contains("\"socket\""))
        #expect(summary.json().contains("\"peer\":\"192.0.2.2\",\"name\":\"paris\",\"interface\""))
        summary.sendErrors = 9
        #expect(summary.text().contains("counters: send errors 9, strays 3"))
        summary.sendErrors = 0
        summary.counters = []
        #expect(!summary.text().hasSuffix("\n\n"))
    }
}

@Suite struct ShortDurationTests {
    @Test(
        arguments: [
            (0, "0ns"), (999, "999ns"), (-999, "-999ns"), (1000, "1.00us"), (12_345, "12.3us"), (99_949, "99.9us"),
            (99_950, "100us"), (999_499, "999us"), (999_500, "1.00ms"), (-1_234_567, "-1.23ms"),
            (999_499_999, "999ms"), (999_500_000, "1.00s"), (59_949_999_999, "59.9s"), (9_999_000_000_000, "9999s"),
            (.max, "9223372037s"), (.min, "-9223372037s"),
        ] as [(Int64, String)])
    func `A short duration has three digits and the unit that fits`(nanoseconds: Int64, text: String) {
        #expect(shortDurationText(nanoseconds) == text)
    }
}
