import Testing

@testable import Report

@Suite struct HistogramExportTests {
    private func sample() -> HistogramExport {
        var statistics = SessionStatistics()
        statistics.add(row(.probe, 1, 5000))
        statistics.add(row(.probe, 2, 5001))
        statistics.add(row(.reply, 1, -3000))
        statistics.add(row(.probe, 3, 7))
        var staged = row(.probe, 9, nil)
        staged.transmitApp = 10
        staged.transmitSched = 15
        statistics.add(staged)
        var export = HistogramExport()
        export.add(session: 0xABC, statistics)
        return export
    }

    private func error(_ text: String) -> HistogramExportError? {
        var export = HistogramExport()
        do {
            try export.merge(csv: Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    private let header = HistogramExport.header + "\n"

    @Test func `The file of a session is exact to the byte`() {
        #expect(
            sample().csv().text == """
                session,metric,direction,from_ns,to_ns,count,cumulative,percentile
                0000000000000abc,delay,forward,7,7,1,1,33.333333
                0000000000000abc,delay,forward,5000,5003,2,3,100.000000
                0000000000000abc,delay,reverse,-3000,-2999,1,1,100.000000
                0000000000000abc,rtt,,2000,2000,1,1,100.000000
                0000000000000abc,ipdv,forward,-4996,-4993,1,1,50.000000
                0000000000000abc,ipdv,forward,1,1,1,2,100.000000
                0000000000000abc,app_to_sched,forward,5,5,1,1,100.000000

                """)
    }

    @Test func `All stages have a name and a direction`() {
        var probe = fullRecord()
        probe.clockEpoch = 0
        var reply = probe
        reply.packet = .reply
        var statistics = SessionStatistics()
        statistics.add(probe)
        statistics.add(reply)
        var export = HistogramExport()
        export.add(session: 1, statistics)
        #expect(
            export.keys.map { "\($0.metric) \($0.direction)" } == [
                "delay forward", "delay reverse", "rtt ", "app_to_sched forward", "app_to_sched reverse",
                "sched_to_driver forward", "sched_to_driver reverse", "driver_to_card forward",
                "driver_to_card reverse", "card_to_software forward", "card_to_software reverse",
                "software_to_app forward", "software_to_app reverse",
            ])
    }

    @Test func `An export without values has only the header`() {
        var export = HistogramExport()
        export.add(session: 1, SessionStatistics())
        #expect(export.csv().text == header)
    }

    @Test func `A file that is read and written again is the same`() throws {
        var read = HistogramExport()
        try read.merge(csv: sample().csv())
        #expect(read.csv() == sample().csv())
        #expect(read.keys == sample().keys)
    }

    @Test func `Merged files equal one histogram of all values`() throws {
        var generator = SplitMix(state: 51)
        var whole = SessionStatistics()
        var parts = [SessionStatistics(), SessionStatistics(), SessionStatistics()]
        for sequence in 0..<3000 as Range<UInt32> {
            // Sequence numbers two apart have no pairs, which the split into files would cut.
            let value = Int64(truncatingIfNeeded: generator.next()) >> (generator.next() % 64)
            var record = row(.probe, sequence * 2, value)
            // Relative delays would have buckets of different origins.
            record.delayError = 1
            whole.add(record)
            parts[Int(sequence % 3)].add(record)
        }
        var merged = HistogramExport()
        for part in parts {
            var export = HistogramExport()
            export.add(session: 5, part)
            try merged.merge(csv: export.csv())
        }
        var expected = HistogramExport()
        expected.add(session: 5, whole)
        #expect(merged.csv() == expected.csv())
    }

    @Test func `Exports can also be merged in memory`() {
        var export = sample()
        export.merge(sample())
        let key = HistogramExport.Key(session: 0xABC, metric: "delay", packet: .probe)
        #expect(export.buckets(key).map(\.count) == [2, 4])
        #expect(export.keys == sample().keys)
    }

    @Test func `Sessions have separate histograms`() {
        var statistics = SessionStatistics()
        statistics.add(row(.probe, 1, 7))
        var export = HistogramExport()
        export.add(session: 1, statistics)
        export.add(session: 2, statistics)
        #expect(export.keys.map(\.session) == [1, 2])
        #expect(export.csv().text.split(separator: "\n").count == 3)
    }

    @Test func `Buckets of another layout remain separate rows`() throws {
        var export = sample()
        let line = "0000000000000abc,delay,forward,5000,5001,4,4,100.000000\n"
        try export.merge(csv: Array((header + line).utf8))
        let key = HistogramExport.Key(session: 0xABC, metric: "delay", packet: .probe)
        #expect(
            export.buckets(key)
                == [
                    .init(from: 7, to: 7, count: 1), .init(from: 5000, to: 5001, count: 4),
                    .init(from: 5000, to: 5003, count: 2),
                ])
    }

    @Test func `Percentiles are rounded down, so that only the last bucket reaches 100`() {
        var export = HistogramExport()
        let key = HistogramExport.Key(session: 1, metric: "rtt", packet: nil)
        export.add([.init(from: 1, to: 1, count: 999_999_999_999), .init(from: 2, to: 2, count: 1)], to: key)
        let lines = export.csv().text.split(separator: "\n")
        #expect(lines[1].hasSuffix(",999999999999,99.999999"))
        #expect(lines[2].hasSuffix(",1000000000000,100.000000"))
    }

    @Test func `Counts beyond the range are clamped`() {
        var export = HistogramExport()
        let key = HistogramExport.Key(session: 1, metric: "rtt", packet: nil)
        export.add([.init(from: 1, to: 1, count: .max), .init(from: 1, to: 1, count: 5)], to: key)
        export.add([.init(from: 2, to: 2, count: .max), .init(from: 3, to: 3, count: 0)], to: key)
        #expect(export.buckets(key).map(\.count) == [.max, .max])
        #expect(export.csv().text.hasSuffix("18446744073709551615,18446744073709551615,100.000000\n"))
    }

    @Test func `A file without the header is rejected`() {
        #expect(error("") == .header)
        #expect(error("session,metric\n") == .header)
        #expect(error(HistogramExport.header) == .header)
    }

    @Test func `A truncated last line is reported`() {
        #expect(error(header + "0000000000000001,rtt,,1,1,1") == .cutLine(line: 2))
    }

    @Test func `A line with a wrong number of fields is reported`() {
        #expect(error(header + "0000000000000001,rtt,,1,1,1,1\n") == .fieldCount(line: 2))
        #expect(error(header + "\n") == .fieldCount(line: 2))
    }

    @Test(arguments: [
        ("1,rtt,,1,1,1,1,1", "session", "1"), ("0000000000000001,r,,1,1,1,1,1", "metric", "r"),
        ("0000000000000001,rtt,up,1,1,1,1,1", "direction", "up"), ("0000000000000001,rtt,,x,1,1,1,1", "from_ns", "x"),
        ("0000000000000001,rtt,,1,0,1,1,1", "to_ns", "0"), ("0000000000000001,rtt,,1,1,-1,1,1", "count", "-1"),
    ])
    func `A wrong field is reported with its column`(line: String, column: String, text: String) {
        #expect(error(header + line + "\n") == .field(line: 2, column: column, text: text))
    }

    @Test func `A file with an error changes nothing`() {
        var export = sample()
        let file = header + "0000000000000abc,rtt,,1,1,1,1,1\nx\n"
        #expect(throws: HistogramExportError.fieldCount(line: 3)) { try export.merge(csv: Array(file.utf8)) }
        #expect(export.csv() == sample().csv())
    }

    @Test func `Errors have a place, a cause and a remedy`() {
        #expect(
            HistogramExportError.field(line: 4, column: "count", text: "-1").description
                == "line 4: count cannot be \"-1\": repair or remove the line")
        #expect(HistogramExportError.cutLine(line: 9).description.hasPrefix("line 9: truncated, without a line end"))
    }

    @Test
    func
        `A prefix of a file is whole lines or an error, and a file with a changed byte is an error or can be exported again`()
        throws
    {
        let file = sample().csv()
        var generator = SplitMix(state: 52)
        for index in file.indices {
            var export = HistogramExport()
            let atLineEnd = index > 0 && file[index - 1] == UInt8(ascii: "\n")
            #expect((try? export.merge(csv: Array(file[..<index]))) != nil || !atLineEnd)
            var changed = file
            changed[index] = UInt8.random(in: 0...255, using: &generator)
            export = HistogramExport()
            guard (try? export.merge(csv: changed)) != nil else { continue }
            var again = HistogramExport()
            try again.merge(csv: export.csv())
            #expect(again.csv() == export.csv())
        }
    }
}
