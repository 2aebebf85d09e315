import Testing

@testable import Report

@Suite struct PacketLogReaderTests {
    private let minimal = "session,packet,seq,direction,status"
    private let line = "0123456789abcdef,reply,7,in,late"

    private func read(_ text: String) throws(PacketLogError) -> [PacketRecord] {
        try PacketLogReader.records(in: Array(text.utf8))
    }

    private func error(_ text: String) -> PacketLogError? {
        do {
            _ = try read(text)
            return nil
        } catch {
            return error
        }
    }

    private var validLog: [UInt8] {
        var bytes = Array(PacketLog.header.utf8) + [UInt8(ascii: "\n")]
        PacketLog.appendRow(fullRecord(), to: &bytes)
        PacketLog.appendRow(row(.reply, 13, -7, .reordered), to: &bytes)
        PacketLog.appendRow(row(.probe, 14, nil, .lost, clock: nil), to: &bytes)
        return bytes
    }

    @Test func `Columns may come in any order`() throws {
        let records = try read(
            "status,ttl,seq,session,direction,delay_ns,packet\nok,9,4,00000000000000ff,in,-3,reply\n")
        var expected = PacketRecord(session: 255, packet: .reply, sequence: 4, direction: .in)
        expected.ttl = 9
        expected.delay = -3
        #expect(records == [expected])
    }

    @Test func `Missing columns are nil in every record`() throws {
        let expected = PacketRecord(
            session: 0x0123_4567_89AB_CDEF, packet: .reply, sequence: 7, direction: .in, status: .late)
        #expect(try read("\(minimal)\n\(line)\n") == [expected])
    }

    @Test func `Unknown columns are ignored`() throws {
        let plain = try read("\(minimal)\n\(line)\n")
        #expect(try read("colour,\(minimal),taste\nred,\(line),\"sour\n") == plain)
    }

    @Test func `Line ends of other systems, and empty lines, are accepted`() throws {
        #expect(try read("\(minimal)\r\n\(line)\r\n\r\n\(line)\r\n").count == 2)
    }

    @Test func `A log with only a header has no records`() throws {
        #expect(try read("\(minimal)\n").isEmpty)
    }

    @Test func `A log without a header line is an error`() {
        #expect(error("") == .noHeader)
        #expect(error("\n") == .noHeader)
    }

    @Test(arguments: ["session", "packet", "seq", "direction", "status"])
    func `A missing required column is an error`(name: String) {
        let names = minimal.split(separator: ",").map { $0 == name ? "x" : String($0) }
        #expect(error(names.joined(separator: ",") + "\n") == .missingColumn(name))
    }

    @Test func `A repeated column is an error`() {
        #expect(error("\(minimal),seq\n") == .repeatedColumn("seq"))
    }

    @Test func `A repeated unknown column is no error`() throws {
        #expect(try read("\(minimal),x,x\n\(line),1,2\n").count == 1)
    }

    @Test func `A row with too few or too many fields is an error with its line`() {
        #expect(error("\(minimal)\n\(line)\nabc\n")?.line == 3)
        let short = "0123456789abcdef,reply,7,in"
        #expect(error("\(minimal)\n\(short)\n") == .fieldCount(line: 2, expected: 5, found: 4))
        #expect(error("\(minimal)\n\(line),\n") == .fieldCount(line: 2, expected: 5, found: 6))
    }

    @Test(arguments: [
        ("seq", "-1"), ("seq", "4294967296"), ("seq", ""), ("seq", "1.0"), ("seq", " 1"), ("seq", "+1"), ("seq", "-"),
        ("session", "123"), ("session", "0123456789abcdeg"), ("session", ""), ("session", "00123456789abcdef"),
        ("packet", "Probe"), ("packet", ""), ("direction", "up"), ("status", "okay"),
        ("delay_ns", "9223372036854775808"), ("delay_ns", "-9223372036854775809"), ("delay_ns", "--1"),
        ("delay_ns", "99999999999999999999999"), ("delay_ns", "1e3"), ("ttl", "256"), ("ttl", "-0x"),
        ("bytes", "2147483648"), ("tx_missing", "none"), ("delay_clock", "ntp"),
    ])
    func `A field that its column does not allow is an error with both`(column: String, value: String) throws {
        var names = minimal.split(separator: ",").map(String.init)
        var fields = line.split(separator: ",").map(String.init)
        if let index = names.firstIndex(of: column) {
            fields[index] = value
        } else {
            names.append(column)
            fields.append(value)
        }
        let found = error(names.joined(separator: ",") + "\n" + fields.joined(separator: ",") + "\n")
        guard case .field(2, column, value, _) = found else {
            Issue.record("\(String(describing: found))")
            return
        }
    }

    @Test func `The limits of each integer's range are accepted`() throws {
        let header = "\(minimal),delay_ns,ttl,bytes"
        let records = try read(
            "\(header)\n\(line),-9223372036854775808,255,-2147483648\n\(line),9223372036854775807,0,2147483647\n")
        #expect(records.map(\.delay) == [.min, .max])
        #expect(records.map(\.ttl) == [255, 0])
        #expect(records.map(\.bytes) == [.min, .max])
    }

    @Test func `Errors have a place, a cause and a remedy`() {
        #expect(
            PacketLogError.field(line: 9, column: "ttl", text: "x", expected: "an integer from 0 to 255").description
                == "line 9: ttl is \"x\", expected an integer from 0 to 255: repair or remove the line")
        #expect(
            error("\(minimal)\n\(line)\n\(line)")?.description
                == "line 3: truncated, without a line end: the rows before it are valid; remove it to read them")
        #expect(
            error("\(minimal),ttl\n\(line),1\u{1B}[2J\n")?.description
                == "line 2: ttl is \"1?[2J\", expected an integer from 0 to 255: repair or remove the line")
    }

    @Test func `Rows before a truncated last line are read`() {
        var reader = PacketLogReader()
        var count = 0
        #expect(throws: Never.self) {
            try reader.read(
                Array("\(minimal)\n\(line)\n0123456789abc".utf8), each: { _ in count += 1 },
                damaged: { Issue.record("\($0)") })
        }
        #expect(count == 1)
        #expect(throws: PacketLogError.cutLine(line: 3)) { try reader.finish() }
    }

    @Test(arguments: [1, 5, 100, 10_000])
    func `The rows before and after a damaged line are read, and its number is correct`(size: Int) throws {
        let tooLong = String(repeating: "x", count: 40_000)
        let text = "\(minimal)\n\(line)\n\(line)\n\(line),\n\(line)\n\(tooLong)\n\(line)\n\n0123\n\(line)\n"
        var reader = PacketLogReader()
        var count = 0
        var errors: [PacketLogError] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            try reader.read(
                Array(bytes[start..<min(start + size, bytes.count)]), each: { _ in count += 1 },
                damaged: { errors.append($0) })
        }
        try reader.finish()
        #expect(count == 5)
        #expect(
            errors == [
                .fieldCount(line: 4, expected: 5, found: 6), .lineTooLong(line: 6, limit: 16_384),
                .fieldCount(line: 9, expected: 5, found: 1),
            ])
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1000])
    func `Pieces of any size give the same rows`(size: Int) throws {
        let log = validLog
        var reader = PacketLogReader()
        var records: [PacketRecord] = []
        for start in stride(from: 0, to: log.count, by: size) {
            try reader.read(
                Array(log[start..<min(start + size, log.count)]), each: { records.append($0) },
                damaged: { Issue.record("\($0)") })
        }
        try reader.finish()
        #expect(try records == PacketLogReader.records(in: log))
        #expect(records.count == 3)
    }

    @Test func `A prefix of a log has whole lines or is reported as truncated`() throws {
        let log = validLog
        let whole = try PacketLogReader.records(in: log)
        for length in 0..<log.count {
            let prefix = Array(log[0..<length])
            let lines = prefix.count { $0 == UInt8(ascii: "\n") }
            if length == 0 {
                #expect(throws: PacketLogError.noHeader) { try PacketLogReader.records(in: prefix) }
            } else if prefix.last == UInt8(ascii: "\n") {
                #expect(try PacketLogReader.records(in: prefix) == Array(whole.prefix(lines - 1)))
            } else {
                #expect(throws: PacketLogError.cutLine(line: lines + 1)) { try PacketLogReader.records(in: prefix) }
            }
        }
    }

    @Test func `A line without an end is rejected at the limit`() {
        var reader = PacketLogReader()
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 5000)
        #expect(throws: PacketLogError.lineTooLong(line: 1, limit: 16_384)) {
            for _ in 0..<10 { try reader.read(piece, each: { _ in }, damaged: { _ in }) }
        }
        #expect(error(String(repeating: "x", count: 20_000) + "\n") == .lineTooLong(line: 1, limit: 16_384))
    }

    @Test func `Random bytes are errors`() {
        var generator = SplitMix(state: 7)
        let head = Array(PacketLog.header.utf8) + [UInt8(ascii: "\n")]
        let alphabet = Array("0123456789abcdef,,,,\n\r-probeyutiklmsxé\u{0}".utf8)
        for round in 0..<3000 {
            let noise = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
                round % 2 == 0
                    ? UInt8.random(in: 0...255, using: &generator) : alphabet.randomElement(using: &generator) ?? 0
            }
            #expect(throws: PacketLogError.self) { try PacketLogReader.records(in: head + [UInt8(ascii: "z")] + noise) }
            #expect(throws: PacketLogError.self) { try PacketLogReader.records(in: noise) }
        }
    }

    @Test func `A log with a changed byte has a damaged line, or differs in one row`() throws {
        let log = validLog
        let whole = try PacketLogReader.records(in: log)
        var generator = SplitMix(state: 3)
        for index in log.indices {
            var changed = log
            changed[index] = UInt8.random(in: 0...255, using: &generator)
            guard let records = try? PacketLogReader.records(in: changed) else { continue }
            #expect(records.count == whole.count)
            // A change in the header can affect every row.
            guard index > PacketLog.header.utf8.count else { continue }
            #expect(zip(records, whole).count { $0 != $1 } <= 1)
        }
    }

    @Test func `An empty status is that of a reply that never existed`() throws {
        let rows = try PacketLogReader.records(in: Array((minimal + "\n00000000000000ff,reply,4,in,\n").utf8))
        #expect(rows.map(\.status) == [.absent])
        var bytes: [UInt8] = []
        PacketLog.appendRow(try #require(rows.first), to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("00000000000000ff,reply,4,,in,,,"))
    }
}
