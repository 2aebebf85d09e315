import Testing

@testable import Report

/// A sample with all values that a kernel can report.
private func everything() -> SampleRecord {
    var record = SampleRecord(received: 1_700_000_000_000_050_000)
    record.timestamp = 1_700_000_000_000_000_000
    record.group = 5
    record.sequence = 17
    record.missed = 2
    record.rate = 10
    record.input = "eth0"
    record.output = "eth1"
    record.originalSize = 1500
    record.capturedSize = 128
    record.latency = 1200
    record.trafficClass = 3
    record.occupancy = 4096
    record.protocolNumber = 0x86DD
    record.cookie = [0xAB, 0x01]
    record.tunnel = [("id", .integer(99)), ("source", .string("192.0.2.1")), ("oam", .bool(true))]
    record.stamp = SampleRecord.STAMPPacket(
        kind: "reply", source: "2001:db8::2", sourcePort: 862, destination: "2001:db8::1", destinationPort: 49153,
        sequence: 40, probeSequence: 12, ssid: 7, sent: 1_699_999_999_999_990_000)
    return record
}

@Suite struct SampleReportTests {
    @Test func `The comment has names, values and units, and omits missing values`() {
        #expect(
            everything().comment()
                == """
                group 5 sequence 17 missed 2 rate 1/10 in eth0 out eth1 latency 1200 ns out_tc 3 occupancy 4096 \
                cookie ab01 tunnel id 99 source 192.0.2.1 oam true
                """)
        #expect(SampleRecord(received: 0).comment() == "")
    }

    @Test func `The line of text has all values`() {
        #expect(
            everything().text()
                == """
                2023-11-14T22:13:20.000000000Z  group 5  seq 17  (2 missed)  1/10  in eth0  out eth1  128 of 1500 B  \
                latency 1.200us  tc 3  occupancy 4096 B  cookie ab01  \
                tunnel {"id":99,"source":"192.0.2.1","oam":true}  \
                STAMP reply 12 [2001:db8::2]:862 > [2001:db8::1]:49153  ssid 7  10.000us after its send time

                """)
        var other = SampleRecord(received: 1)
        other.protocolNumber = 0x0806
        #expect(other.text() == "1970-01-01T00:00:00.000000001Z  0 B  0x0806\n")
    }

    @Test func `Outgoing packets that were sampled before their send time are counted, incoming ones are not`() {
        var statistics = SampleStatistics()
        var record = everything()
        record.input = nil
        statistics.add(record)
        #expect(
            statistics.sentToSampleOut.count == 1 && statistics.sentToSampleOut.max == 10_000 && statistics.early == 0)
        record.stamp?.sent = 1_700_000_000_000_001_000
        statistics.add(record)
        #expect(statistics.early == 1)
        #expect(
            statistics.text(duration: 0).contains(
                "1 STAMP packets were sampled before they were sent: the first, reply 40, was sampled at "
                    + "2023-11-14T22:13:20.000000000Z but carries the send time 2023-11-14T22:13:20.000001000Z. Check whether"
            ))
        // An incoming packet's times are of two clocks, and may have any order.
        (record.input, record.output) = ("eth0", nil)
        statistics.add(record)
        #expect(statistics.sentToSampleIn.count == 1 && statistics.early == 1)
        #expect(statistics.json(duration: 0).contains("\"sampled_before_sent\":1,"))
        // Without a time of sampling there is nothing to compare.
        record.timestamp = nil
        statistics.add(record)
        #expect(statistics.sentToSampleIn.count == 1)
    }

    @Test func `The JSON line has all values, and null for missing ones`() {
        #expect(
            everything().json()
                == """
                {"type":"sample","timestamp_ns":1700000000000000000,"received_ns":1700000000000050000,"group":5,\
                "sequence":17,"missed":2,"rate":10,"rate_is_probability":false,"input":"eth0","output":"eth1",\
                "original_size":1500,"captured_size":128,"latency_ns":1200,"out_tc":3,"out_tc_occupancy_bytes":4096,\
                "protocol":34525,"user_cookie":"ab01","tunnel":{"id":99,"source":"192.0.2.1","oam":true},\
                "stamp":{"kind":"reply","source":"2001:db8::2","source_port":862,"destination":"2001:db8::1",\
                "destination_port":49153,"sequence":40,"probe_sequence":12,"ssid":7,"sent_ns":1699999999999990000}}

                """)
        #expect(SampleRecord(received: 0).json().contains(#""latency_ns":null,"out_tc":null"#))
    }

    @Test(arguments: [
        (UInt32(1), false, "1/1"), (1000, false, "1/1000"), (.max, true, "1.000000"), (0, true, "0.000000"),
        (1 << 30, true, "0.250000"),
    ])
    func `A rate is printed as a fraction or a probability`(rate: UInt32, isProbability: Bool, expected: String) {
        #expect(SampleRecord.rateText(rate, isProbability: isProbability) == expected)
    }

    /// Statistics of incoming probes of one session with these sequence numbers.
    private func statistics(_ numbers: [UInt32], rate: UInt32 = 4) -> SampleStatistics {
        var statistics = SampleStatistics()
        for number in numbers {
            var record = SampleRecord(received: 2000)
            record.timestamp = 500
            record.group = 5
            record.rate = rate
            record.input = "eth0"
            record.latency = UInt64(number)
            record.stamp = SampleRecord.STAMPPacket(
                kind: "probe", source: "192.0.2.1", sourcePort: 49153, destination: "192.0.2.2", destinationPort: 862,
                sequence: number, probeSequence: number, ssid: nil)
            statistics.add(record)
        }
        return statistics
    }

    @Test(
        arguments: [
            ([10, 14, 12], 5), ([0], 1), ([.max, 1], 3), ([1, .max], 3), ([7, 7], 1), ([100, 0], 101),
        ] as [([UInt32], UInt64)])
    func `A session's packets are counted from the lowest to the highest sequence number`(
        numbers: [UInt32], packets: UInt64
    ) throws {
        let session = try #require(statistics(numbers).sortedSessions.first)
        #expect(session.value.packets == packets && session.value.samples == UInt64(numbers.count))
    }

    @Test func `The summary shows losses, shares and distributions`() {
        var statistics = statistics([0, 4, 7])
        statistics.add(SampleRecord(received: 1))
        statistics.dropped = 9
        statistics.groups = [
            SampleStatistics.Group(number: 5, lost: 2, reordered: 0, repeated: 1, restarts: 0)
        ]
        let text = statistics.text(duration: 1_000_000_000)
        for part in [
            "4 samples in 1.000 s, 3 of them STAMP", "group 5: 3 samples at 1/4, 2 lost (sequence gaps), 1 repeated",
            "9 notifications lost to a full receive buffer",
            "probe 192.0.2.1:49153 > 192.0.2.2:862 in: 3 of 8 sampled, 37.50 % (sampler's rate: 25.00 %)",
            "sampled to read       1.500 us",
        ] {
            #expect(text.contains(part), "no \"\(part)\" in:\n\(text)")
        }
        let json = statistics.json(duration: 5)
        for part in [
            #""samples":4,"stamp_packets":3,"dropped":9,"malformed":0"#,
            #""groups":[{"group":5,"samples":3,"rates":["1/4"],"lost":2"#,
            #""direction":"in","samples":3,"packets":8,"fraction":0.375,"probability":0.25"#,
            #""latency":{"count":3,"min_ns":0"#, #""sampled_to_read":{"count":3,"min_ns":1500"#,
        ] {
            #expect(json.contains(part), "no \(part) in:\n\(json)")
        }
        #expect(SampleStatistics().json(duration: 0).contains(#""latency":null"#))
    }

    @Test func `Samplers of one group can have different rates`() {
        var statistics = SampleStatistics()
        for (direction, rate) in [("in", UInt32(1)), ("out", 4), ("out", 4)] {
            var record = SampleRecord(received: 0)
            record.group = 5
            record.rate = rate
            if direction == "in" { record.input = "eth0" } else { record.output = "eth0" }
            record.stamp = SampleRecord.STAMPPacket(
                kind: direction == "in" ? "reply" : "probe", source: "02:00:00:00:00:01", sourcePort: 1,
                destination: "02:00:00:00:00:02", destinationPort: 2, sequence: 0, probeSequence: 0, ssid: nil)
            statistics.add(record)
        }
        statistics.groups = [SampleStatistics.Group(number: 5, lost: 0, reordered: 0, repeated: 0, restarts: 0)]
        let text = statistics.text(duration: 1)
        #expect(text.contains("group 5: 3 samples at 1/1 and 1/4"))
        #expect(text.contains("[02:00:00:00:00:02]:2 in: 1 of 1 sampled, 100.00 % (sampler's rate: 100.00 %)"))
        #expect(text.contains("out: 2 of 1 sampled, 200.00 % (sampler's rate: 25.00 %)"))
    }
}
