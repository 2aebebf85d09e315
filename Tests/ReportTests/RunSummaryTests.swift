import Foundation
import Testing

@testable import Report

@Suite struct RunSummaryTests {
    @Test func `The text of a run with relative delays is exact to the byte`() {
        let expected = """
            session 0123456789abcdef to 192.0.2.2 over eth0, 10.00 s
            lost: 6 of 100 sent (6.00 %): 1 forward (1.00 %), 2 reverse (2.00 %), 3
              direction unknown (3.00 %)
            due: 125 = 100 sent + 25 not sent (20.00 %)
            late: 8; duplicated: 4 forward, 5 reverse; reordered: 6 forward, 7 reverse
            clocks: relative: no bound of the clocks' offset is known
            error of the one-way delay: forward at most 1.200 us
            error of converted NIC timestamps: forward at most 70 ns

                                       min       p50       p90       p99     p99.9       max
            forward               12.36 us  12.84 us  13.24 us  13.35 us  13.35 us  13.35 us
            reverse relative     -999.0 us -951.0 us -910.1 us -900.0 us -900.0 us -900.0 us
            round trip           -986.6 us -938.2 us -896.8 us -886.7 us -886.7 us -886.7 us
            IPDV forward             10 ns     10 ns     10 ns     10 ns     10 ns     10 ns
            IPDV reverse          1.000 us  1.000 us  1.000 us  1.000 us  1.000 us  1.000 us
            fwd app to sched      1.500 us  1.500 us  1.500 us  1.500 us  1.500 us  1.500 us
            fwd sched to driver   2.500 us  2.500 us  2.500 us  2.500 us  2.500 us  2.500 us
            fwd driver to NIC     5.000 us  5.000 us  5.000 us  5.000 us  5.000 us  5.000 us
            fwd NIC to kernel     5.345 us  5.345 us  5.345 us  5.345 us  5.345 us  5.345 us
            fwd kernel to app     15.66 us  15.66 us  15.66 us  15.66 us  15.66 us  15.66 us

            packets                forward   reverse
            sent                       100       101
            received                    99        99
            ok                          98        98
            reordered                    1         0
            late                         0         1
            lost                         0         1
            unknown                      1         1
            duplicate                    0         1
            corrupt                      1         0

            transmit timestamps     probes                       replies
                                     sched    driver       NIC     sched
            stamped                    100        90        80         1
            late                         0         4         0         0
            buffer                       0         3         0         0
            driver                       0         2         0         0
            in-flight                    0         0        13         0
            never                        0         0         5         0
            unsupported                  0         0         2         0
            pending                      0         1         0         0
            sum                        100       100       100         1
            sent                       100       100       100         1

            13 were busy.
            5 never came.

            socket: packets 205, drops 2, freezes 1, send errors 9
            counters: strays 3, short 1, wrong ssid 2

            """
        #expect(sampleSummary(relative: true).text() == expected)
    }

    @Test func `A run with an error bound shows it, and marks nothing as relative`() {
        let lines = sampleSummary(relative: false).text().split(separator: "\n")
        #expect(lines.contains("clocks: one clock: both instances run on the same kernel (boot id)"))
        #expect(lines.contains("error of the one-way delay: forward at most 1.200 us"))
        #expect(lines.contains { $0.hasPrefix("forward               12.36 us") })
        #expect(!lines.contains { $0.contains("relative") })
    }

    @Test func `Stages between NIC and host are shown if they were measured`() {
        let labels = sampleSummary(relative: false).text().split(separator: "\n").map { $0.prefix(24) }
        #expect(labels.contains("fwd driver to NIC     5."))
        #expect(labels.contains("fwd NIC to kernel     5."))
    }

    @Test(arguments: [80, 100, 120])
    func `Every line fits the width, whatever the clocks' offset`(width: Int) {
        var summary = sampleSummary(relative: true)
        for (sequence, delay) in [Int64.min, .max, -999_949_999, 1].enumerated() {
            summary.statistics.add(row(.probe, UInt32(1000 + sequence), delay))
        }
        let text = summary.text(width: width)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
        #expect(text.contains(" -9.223e9 s"))
        #expect(text.contains("stddev") == (width >= 100))
    }

    @Test func `A run without a reply has no table of delays`() {
        let summary = RunSummary(
            session: "1", peer: "192.0.2.2", interface: "eth0", duration: 0, statistics: SessionStatistics(),
            relative: true, clockNote: "relative: no reply came")
        let expected = """
            session 1 to 192.0.2.2 over eth0, 0 ns
            lost: 0 of 0 sent
            clocks: relative: no reply came

            No delay was measured.

            packets                forward   reverse
            sent                         0         0
            received                     0         0
            ok                           0         0
            lost                         0         0

            socket: packets 0, drops 0, freezes 0, send errors 0

            """
        #expect(summary.text() == expected)
    }

    @Test func `Losses are in percent of the sent probes, and a loss is never 0 %`() {
        var summary = sampleSummary(relative: true)
        summary.totals = .init()
        summary.probes = .init(sent: 100_000, notSent: 0, skipped: 0)
        func lines() -> [String] { summary.text().split(separator: "\n").dropFirst().prefix(2).map(String.init) }
        #expect(lines()[0] == "lost: 0 of 100000 sent (0 %)")
        summary.totals.lostForward = 1
        #expect(lines()[0] == "lost: 1 of 100000 sent (<0.01 %), forward")
        (summary.totals.lostForward, summary.totals.lostUnknown) = (0, 99_999)
        #expect(lines()[0] == "lost: 99999 of 100000 sent (>99.99 %), all direction unknown")
        summary.probes = .init(sent: 100, notSent: 1, skipped: 1)
        summary.totals = .init()
        #expect(lines()[1] == "due: 102 = 100 sent + 1 not sent (0.98 %) + 1 skipped (0.98 %)")
    }

    @Test func `The JSON has the due probes, the loss ratios, and both names of a stage`() throws {
        var summary = sampleSummary(relative: true)
        summary.probes = .init(sent: 8, notSent: 3, skipped: 2)
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(summary.json().utf8)) as? [String: Any])
        #expect(object["probes"] as? [String: Int] == ["due": 13, "sent": 8, "not_sent": 3, "skipped": 2])
        #expect(object["loss_ratio"] as? [String: Double] == ["forward": 0.125, "reverse": 0.25, "unknown": 0.375])
        #expect((object["outages"] as? [Any])?.isEmpty == true)
        let forward = try #require(object["forward"] as? [String: Any])
        for (name, former) in [("nic_to_kernel", "card_to_software"), ("kernel_to_app", "software_to_app")] {
            let values = [name, former].map { (forward[$0] as? [String: Any])?["p50_ns"] as? Int }
            #expect(values[0] != nil && values[0] == values[1])
        }
        #expect(forward["nic_error_max_ns"] as? Int == 70 && forward["card_error_max_ns"] as? Int == 70)
    }

    @Test func `An account that does not balance is reported`() {
        var summary = sampleSummary(relative: true)
        #expect(summary.ledger.isBalanced)
        #expect(!summary.text().contains("does not balance"))
        summary.ledger.kinds[1].late += 1
        #expect(!summary.ledger.isBalanced)
        #expect(
            summary.text().contains("the account of timestamps does not balance: a sum differs from the packets sent\n")
        )
        #expect(summary.json().contains("\"balanced\":false"))
    }

    @Test func `The sum of an account includes every column`() {
        let kind = TimestampLedger.Kind(
            name: "software", stamped: 1, late: 10, lostInBuffer: 100, skippedByDriver: 1000, inFlight: 1_000_000,
            never: 10_000_000, unsupported: 10_000, pending: 100_000)
        #expect(kind.sum == 11_111_111)
        #expect(TimestampLedger(sent: 11_111_111, kinds: [kind]).isBalanced)
        #expect(!TimestampLedger(sent: 111_111, kinds: [kind]).isBalanced)
        #expect(TimestampLedger(sent: 5).isBalanced)
        #expect(TimestampLedger.Kind(name: "x", stamped: .max, late: 1).sum == .min)
    }

    @Test func `The JSON of a run without a reply is exact to the byte`() {
        let summary = RunSummary(
            session: "1", peer: "a\"b", interface: "eth0", duration: 5, statistics: SessionStatistics(), relative: true,
            clockNote: "c")
        let packets =
            "{\"packets\":{\"sent\":0,\"received\":0,\"ok\":0,\"reordered\":0,\"late\":0,\"lost\":0,"
            + "\"unknown\":0,\"duplicate\":0,\"corrupt\":0,\"not_sent\":0}}"
        #expect(
            summary.json()
                == "{\"type\":\"summary\",\"session\":\"1\",\"peer\":\"a\\\"b\",\"interface\":\"eth0\","
                + "\"duration_ns\":5,\"relative\":true,\"clock_note\":\"c\",\"forward\":\(packets),"
                + "\"reverse\":\(packets),\"totals\":{\"lost_forward\":0,\"lost_reverse\":0,\"lost_unknown\":0,"
                + "\"late\":0,\"duplicated_forward\":0,\"duplicated_reverse\":0,\"reordered_forward\":0,"
                + "\"reordered_reverse\":0},\"stamps\":{\"sent\":0,\"balanced\":true},\"stamp_notes\":[],"
                + "\"socket\":{\"packets\":0,\"drops\":0,\"freezes\":0},\"send_errors\":0,\"counters\":{},"
                + "\"probes\":{\"due\":0,\"sent\":0,\"not_sent\":0,\"skipped\":0},"
                + "\"loss_ratio\":{\"forward\":null,\"reverse\":null,\"unknown\":null},\"outages\":[]}")
    }

    @Test func `The JSON of a full run has every part, exact to the byte`() {
        let json = sampleSummary(relative: false).json()
        let parts = [
            "\"forward\":{\"packets\":{\"sent\":100,\"received\":99,\"ok\":98,\"reordered\":1,\"late\":0,\"lost\":0,"
                + "\"unknown\":1,\"duplicate\":0,\"corrupt\":1,\"not_sent\":0},\"delay\":{\"count\":99,\"min_ns\":12355,"
                + "\"p50_ns\":12843,\"p90_ns\":13243,\"p99_ns\":13345,\"p99_9_ns\":13345,\"max_ns\":13345,"
                + "\"mean_ns\":12845,\"stddev_ns\":286},\"delay_error_max_ns\":1200,\"card_error_max_ns\":70,"
                + "\"ipdv\":{\"count\":97,",
            "\"app_to_sched\":{\"count\":99,\"min_ns\":1500,", "\"sched_to_driver\":{\"count\":99,\"min_ns\":2500,",
            "\"driver_to_card\":{\"count\":99,\"min_ns\":5000,", "\"card_to_software\":{\"count\":99,\"min_ns\":5345,",
            "\"software_to_app\":{\"count\":99,\"min_ns\":15655,", "\"driver_to_nic\":{\"count\":99,\"min_ns\":5000,",
            "\"nic_to_kernel\":{\"count\":99,\"min_ns\":5345,", "\"kernel_to_app\":{\"count\":99,\"min_ns\":15655,",
            "\"nic_error_max_ns\":70,\"delay_basis\":\"driver-kernel\",\"delay_bounds\":{\"bounded\":99,\"relative\":0}},",
            "\"reverse\":{\"packets\":{\"sent\":101,\"received\":99,\"ok\":98,\"reordered\":0,\"late\":1,\"lost\":1,"
                + "\"unknown\":1,\"duplicate\":1,\"corrupt\":0,\"not_sent\":0},\"delay\":{\"count\":98,\"min_ns\":-999000,"
                + "\"p50_ns\":-951040,\"p90_ns\":-910080,\"p99_ns\":-900000,\"p99_9_ns\":-900000,"
                + "\"max_ns\":-900000,\"mean_ns\":-949990,\"stddev_ns\":28740},\"ipdv\":{\"count\":95,",
            "\"rtt\":{\"count\":98,\"min_ns\":-986645,",
            "\"totals\":{\"lost_forward\":1,\"lost_reverse\":2,\"lost_unknown\":3,\"late\":8,"
                + "\"duplicated_forward\":4,\"duplicated_reverse\":5,\"reordered_forward\":6,"
                + "\"reordered_reverse\":7},\"stamps\":{\"sent\":100,\"balanced\":true,",
            "\"software\":{\"stamped\":90,\"late\":4,\"buffer\":3,\"driver\":2,\"in-flight\":0,\"never\":0,"
                + "\"unsupported\":0,\"pending\":1}",
            "\"hardware\":{\"stamped\":80,\"late\":0,\"buffer\":0,\"driver\":0,\"in-flight\":13,\"never\":5,"
                + "\"unsupported\":2,\"pending\":0}",
            "\"reply_stamps\":{\"sent\":1,\"balanced\":true,",
            "\"stamp_notes\":[\"13 were busy.\",\"5 never came.\"],",
            "\"socket\":{\"packets\":205,\"drops\":2,\"freezes\":1},\"send_errors\":9,"
                + "\"counters\":{\"strays\":3,\"short\":1,\"wrong ssid\":2},",
            "\"probes\":{\"due\":125,\"sent\":100,\"not_sent\":25,\"skipped\":0},"
                + "\"loss_ratio\":{\"forward\":0.01,\"reverse\":0.02,\"unknown\":0.03},\"outages\":[]}",
        ]
        var rest = Substring(json)
        for part in parts {
            guard let range = rest.range(of: part) else {
                Issue.record("\(part) is not in its place")
                continue
            }
            rest = rest[range.upperBound...]
        }
        #expect(rest.isEmpty)
        #expect(!json.contains("\n"))
    }

    @Test func `The JSON can be parsed`() throws {
        let object = try JSONSerialization.jsonObject(with: Data(sampleSummary(relative: false).json().utf8))
        #expect((object as? [String: Any])?["type"] as? String == "summary")
    }
}
