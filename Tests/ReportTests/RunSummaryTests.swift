import Foundation
import Testing

@testable import Report

@Suite struct RunSummaryTests {
    @Test func `the text of a relative run, to the byte`() {
        let expected = """
            session 0123456789abcdef to 192.0.2.2 over eth0, 10.00 s
            clocks: relative: no bound of the clocks' offset is known
            error of the NICs' timestamps as the hosts' time: forward at most 70 ns

                                                min        p50        p90        p99      p99.9        max       mean\
                 stddev
            forward (relative)             12.36 us   12.84 us   13.24 us   13.35 us   13.35 us   13.35 us   12.85 us\
                 286 ns
            reverse (relative)            -999.0 us  -951.0 us  -910.1 us  -900.0 us  -900.0 us  -900.0 us  -950.0 us\
               28.74 us
            round trip                    -986.6 us  -938.2 us  -896.8 us  -886.7 us  -886.7 us  -886.7 us  -937.1 us\
               29.03 us
            IPDV forward                      10 ns      10 ns      10 ns      10 ns      10 ns      10 ns      10 ns\
                   0 ns
            IPDV reverse                   1.000 us   1.000 us   1.000 us   1.000 us   1.000 us   1.000 us   1.000 us\
                   0 ns
            forward app to sched           1.500 us   1.500 us   1.500 us   1.500 us   1.500 us   1.500 us   1.500 us\
                   0 ns
            forward sched to driver        2.500 us   2.500 us   2.500 us   2.500 us   2.500 us   2.500 us   2.500 us\
                   0 ns
            forward driver to NIC          5.000 us   5.000 us   5.000 us   5.000 us   5.000 us   5.000 us   5.000 us\
                   0 ns
            forward NIC to software        5.345 us   5.345 us   5.345 us   5.345 us   5.345 us   5.345 us   5.345 us\
                   0 ns
            forward software to app        15.66 us   15.66 us   15.66 us   15.66 us   15.66 us   15.66 us   15.66 us\
                   0 ns

            packets             sent    received          ok   reordered        late        lost     unknown\
               duplicate     corrupt
            forward              100          99          98           1           0           0           1\
                       0           1
            reverse              101          99          98           0           1           1           1\
                       1           0

            lost: forward 1, reverse 2, unknown 3; late 8
            duplicated: forward 4, reverse 5; reordered: forward 6, reverse 7

            timestamps     stamped      late    buffer    driver  in-flight     never  unsupported   pending       sum\
                  sent
            sched              100         0         0         0          0         0            0         0       100\
                   100
            software            90         4         3         2          0         0            0         1       100\
                   100
            hardware            80         0         0         0         13         5            2         0       100\
                   100

            of replies     stamped      late    buffer    driver  in-flight     never  unsupported   pending       sum\
                  sent
            sched                1         0         0         0          0         0            0         0         1\
                     1

            13 were busy.
            5 never came.

            socket: packets 205, drops 2, freezes 1, send errors 9
            counters: strays 3, short 1, wrong ssid 2

            """
        #expect(sampleSummary(relative: true).text() == expected)
    }

    @Test func `a run with a bound says it and marks nothing as relative`() {
        let lines = sampleSummary(relative: false).text().split(separator: "\n")
        #expect(lines[1] == "clocks: one clock: both instances run on the same kernel (boot id)")
        #expect(lines[2] == "error of the one-way delay: forward at most 1.200 us")
        #expect(lines[5].hasPrefix("forward                        12.36 us"))
        #expect(!lines.contains { $0.contains("relative") })
    }

    @Test func `stages between nic and host are shown where they were measured`() {
        let labels = sampleSummary(relative: false).text().split(separator: "\n").map { $0.prefix(24) }
        #expect(labels.contains("forward driver to NIC   "))
        #expect(labels.contains("forward NIC to software "))
    }

    @Test func `tables fit into 120 columns, whatever the clocks' offset`() {
        var summary = sampleSummary(relative: true)
        for (sequence, delay) in [Int64.min, .max, -999_949_999, 1].enumerated() {
            summary.statistics.add(row(.probe, UInt32(1000 + sequence), delay))
        }
        #expect(summary.text().split(separator: "\n").allSatisfy { $0.count <= 120 })
        #expect(summary.text().contains(" -9.223e9 s"))
    }

    @Test func `a run without a reply says so and has no table of delays`() {
        let summary = RunSummary(
            session: "1", peer: "192.0.2.2", interface: "eth0", duration: 0, statistics: SessionStatistics(),
            relative: true, clockNote: "relative: no reply came")
        let expected = """
            session 1 to 192.0.2.2 over eth0, 0 ns
            clocks: relative: no reply came

            no delay was measured

            packets             sent    received          ok   reordered        late        lost     unknown\
               duplicate     corrupt
            forward                0           0           0           0           0           0           0\
                       0           0
            reverse                0           0           0           0           0           0           0\
                       0           0

            lost: forward 0, reverse 0, unknown 0; late 0
            duplicated: forward 0, reverse 0; reordered: forward 0, reverse 0

            socket: packets 0, drops 0, freezes 0, send errors 0

            """
        #expect(summary.text() == expected)
    }

    @Test func `an account that does not balance is named`() {
        var summary = sampleSummary(relative: true)
        #expect(summary.ledger.isBalanced)
        #expect(!summary.text().contains("does not balance"))
        summary.ledger.kinds[1].late += 1
        #expect(!summary.ledger.isBalanced)
        #expect(summary.text().contains("the account of timestamps does not balance: a sum differs from sent\n"))
        #expect(summary.json().contains("\"balanced\":false"))
    }

    @Test func `the sum of an account has every column`() {
        let kind = TimestampLedger.Kind(
            name: "software", stamped: 1, late: 10, lostInBuffer: 100, skippedByDriver: 1000, inFlight: 1_000_000,
            never: 10_000_000, unsupported: 10_000, pending: 100_000)
        #expect(kind.sum == 11_111_111)
        #expect(TimestampLedger(sent: 11_111_111, kinds: [kind]).isBalanced)
        #expect(!TimestampLedger(sent: 111_111, kinds: [kind]).isBalanced)
        #expect(TimestampLedger(sent: 5).isBalanced)
        #expect(TimestampLedger.Kind(name: "x", stamped: .max, late: 1).sum == .min)
    }

    @Test func `the object of a run without a reply, to the byte`() {
        let summary = RunSummary(
            session: "1", peer: "a\"b", interface: "eth0", duration: 5, statistics: SessionStatistics(), relative: true,
            clockNote: "c")
        let packets =
            "{\"packets\":{\"sent\":0,\"received\":0,\"ok\":0,\"reordered\":0,\"late\":0,\"lost\":0,"
            + "\"unknown\":0,\"duplicate\":0,\"corrupt\":0}}"
        #expect(
            summary.json()
                == "{\"type\":\"summary\",\"session\":\"1\",\"peer\":\"a\\\"b\",\"interface\":\"eth0\","
                + "\"duration_ns\":5,\"relative\":true,\"clock_note\":\"c\",\"forward\":\(packets),"
                + "\"reverse\":\(packets),\"totals\":{\"lost_forward\":0,\"lost_reverse\":0,\"lost_unknown\":0,"
                + "\"late\":0,\"duplicated_forward\":0,\"duplicated_reverse\":0,\"reordered_forward\":0,"
                + "\"reordered_reverse\":0},\"stamps\":{\"sent\":0,\"balanced\":true},\"stamp_notes\":[],"
                + "\"socket\":{\"packets\":0,\"drops\":0,\"freezes\":0},\"send_errors\":0,\"counters\":{}}")
    }

    @Test func `the object of a full run has every part, to the byte`() {
        let json = sampleSummary(relative: false).json()
        let parts = [
            "\"forward\":{\"packets\":{\"sent\":100,\"received\":99,\"ok\":98,\"reordered\":1,\"late\":0,\"lost\":0,"
                + "\"unknown\":1,\"duplicate\":0,\"corrupt\":1},\"delay\":{\"count\":99,\"min_ns\":12355,"
                + "\"p50_ns\":12843,\"p90_ns\":13243,\"p99_ns\":13345,\"p99_9_ns\":13345,\"max_ns\":13345,"
                + "\"mean_ns\":12845,\"stddev_ns\":286},\"delay_error_max_ns\":1200,\"card_error_max_ns\":70,"
                + "\"ipdv\":{\"count\":97,",
            "\"app_to_sched\":{\"count\":99,\"min_ns\":1500,", "\"sched_to_driver\":{\"count\":99,\"min_ns\":2500,",
            "\"driver_to_card\":{\"count\":99,\"min_ns\":5000,", "\"card_to_software\":{\"count\":99,\"min_ns\":5345,",
            "\"software_to_app\":{\"count\":99,\"min_ns\":15655,",
            "\"reverse\":{\"packets\":{\"sent\":101,\"received\":99,\"ok\":98,\"reordered\":0,\"late\":1,\"lost\":1,"
                + "\"unknown\":1,\"duplicate\":1,\"corrupt\":0},\"delay\":{\"count\":98,\"min_ns\":-999000,"
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
                + "\"counters\":{\"strays\":3,\"short\":1,\"wrong ssid\":2}}",
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

    @Test func `the object is valid JSON`() throws {
        let object = try JSONSerialization.jsonObject(with: Data(sampleSummary(relative: false).json().utf8))
        #expect((object as? [String: Any])?["type"] as? String == "summary")
    }
}
