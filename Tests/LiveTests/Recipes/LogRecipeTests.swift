import Foundation
import Report
import Testing

/// Tests that the recipes of docs/packet-log.md read each delay and stage of a packet log to the nanosecond.
///
/// They need no root. A recipe whose program is missing is skipped, in CI it fails.
@Suite(.serialized) struct LogRecipeTests {
    /// The logs for programs that do not guess a column's type from its first rows.
    private static let short: [SyntheticLog.Kind] = [.nics, .unsetClock]
    private static let columns =
        ["session", "packet", "seq", "status", "delay_ns"] + HostPathStage.allCases.map { "\($0.text)_ns" }

    /// The line that a recipe must print for a row.
    ///
    /// - Parameter isSubtracting: True for the recipes that also subtract two columns of timestamps.
    private func line(_ record: PacketRecord, isSubtracting: Bool) -> String {
        let session = String(record.session, radix: 16)
        var fields = [
            String(repeating: "0", count: 16 - session.count) + session, record.packet.text, "\(record.sequence)",
            record.status.text,
        ]
        var times = [record.delay] + HostPathStage.allCases.map { record[$0] }
        if isSubtracting {
            var time: Int64?
            if record.clockEpoch != nil, let first = record.transmitApp, let last = record.receiveApp {
                time = last - first
            }
            times.append(time)
        }
        fields += times.map { $0.map(String.init) ?? "" }
        return fields.joined(separator: ",")
    }

    /// Writes a log, runs a recipe on it, and returns the lines that it prints and those that it should print.
    private func lines(
        _ recipe: Recipe, _ kind: SyntheticLog.Kind, isSubtracting: Bool = false, text: String? = nil
    ) throws -> (found: [String], expected: [String]) {
        let log = SyntheticLog(kind)
        let folder = FileManager.default.temporaryDirectory.appending(path: "recipes-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        if recipe == .jqOfJSONLines {
            try Data(log.jsonLines).write(to: folder.appending(path: "probe.jsonl"))
        } else {
            try Data(log.csv).write(to: folder.appending(path: "probe.csv"))
        }
        let output = try recipe.run(in: folder, text: text)
        var found = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(found.popLast() == "", "the last line has a line end")
        let header = Self.columns + (isSubtracting ? ["app_to_app_ns"] : [])
        if found.first == header.joined(separator: ",") { found.removeFirst() }
        return (found, log.records.map { line($0, isSubtracting: isSubtracting) })
    }

    /// Expects a recipe to print every row of a log exactly.
    private func expectExact(_ recipe: Recipe, _ kind: SyntheticLog.Kind, isSubtracting: Bool = false) throws {
        let (found, expected) = try lines(recipe, kind, isSubtracting: isSubtracting)
        try #require(found.count == expected.count, "the first are \(found.prefix(3))")
        let wrong = zip(found, expected).filter { $0 != $1 }
        if let first = wrong.first {
            Issue.record(
                "\(wrong.count) of \(found.count) lines are wrong. The first is \(first.0) instead of \(first.1)")
        }
    }

    @Test func `Every recipe of the document is tested`() throws {
        let texts = try Recipe.allCases.map { try $0.text }
        #expect(Set(texts) == Set(try Recipe.blocks().map(\.text)))
        #expect(Set(texts).count == Recipe.allCases.count)
    }

    @Test func `The logs have every kind of row`() throws {
        let logs = SyntheticLog.Kind.allCases.map { SyntheticLog($0).records }
        for (rows, kind) in zip(logs, SyntheticLog.Kind.allCases) {
            let expected: Set<PacketStatus> = [
                .ok, .reordered, .late, .duplicate, .lost, .unknown, .notSent, .absent,
            ]
            #expect(Set(rows.map(\.status)) == expected)
            for packet in PacketKind.allCases { #expect(rows.contains { $0.packet == packet && $0.status == .lost }) }
            #expect(rows.contains { $0.sendError != nil })
            #expect(rows.contains { $0.delay != nil && $0.transmitSoftware == nil })
            #expect(rows.map(\.sequence) != rows.map(\.sequence).sorted())
            #expect(rows.count > 2 * Int(kind.probes))
        }
        let (nics, unset, late) = (logs[0], logs[1], logs[2])
        #expect(nics.contains { $0.delay ?? 0 < 0 } && nics.contains { $0.delay ?? 0 > 0 })
        #expect(Set(nics.map(\.clockEpoch)) == [0, 1, nil])
        #expect(nics.contains { $0[.driverToNIC] ?? 0 < 0 } && nics.contains { $0[.nicToKernel] ?? 0 < 0 })
        #expect(nics.allSatisfy { $0.transmitHardware ?? 0 < 1_000_000_000_000_000 })
        #expect(unset.allSatisfy { $0.transmitHardware == nil && $0.receiveHardware == nil })
        #expect(unset.contains { $0.delay.map { "\($0)".count == 19 } ?? false })
        #expect(try #require(late.firstIndex { $0.transmitSched != nil }) > 20_480)
    }

    @Test(Recipe.awk.isRunnable, arguments: short)
    func `awk prints each delay and stage exactly`(_ kind: SyntheticLog.Kind) throws {
        try expectExact(.awk, kind)
    }

    @Test(Recipe.jq.isRunnable, arguments: short)
    func `jq prints each delay and stage of the log exactly`(_ kind: SyntheticLog.Kind) throws {
        try expectExact(.jq, kind)
    }

    @Test(Recipe.jqOfJSONLines.isRunnable, arguments: short)
    func `jq prints each delay and stage of the JSON lines exactly`(_ kind: SyntheticLog.Kind) throws {
        try expectExact(.jqOfJSONLines, kind)
    }

    @Test(Recipe.python.isRunnable, arguments: short)
    func `Python's csv module reads each row exactly, and subtracts exactly`(_ kind: SyntheticLog.Kind) throws {
        try expectExact(.python, kind, isSubtracting: true)
    }

    @Test(Recipe.pandas.isRunnable, arguments: SyntheticLog.Kind.allCases)
    func `pandas reads each row exactly, and subtracts exactly`(_ kind: SyntheticLog.Kind) throws {
        try expectExact(.pandas, kind, isSubtracting: true)
    }

    @Test(Recipe.duckDB.isRunnable, arguments: SyntheticLog.Kind.allCases)
    func `DuckDB reads each row exactly, and subtracts exactly`(_ kind: SyntheticLog.Kind) throws {
        try expectExact(.duckDB, kind, isSubtracting: true)
    }

    /// Shows that these tests find lost digits, and that the document warns of pandas' default for a reason.
    @Test(Recipe.pandas.isRunnable) func `pandas without options loses digits`() throws {
        let text = try Recipe.pandas.text
        let options = #", dtype={"session": "string"}, dtype_backend="numpy_nullable""#
        try #require(text.contains(options))
        let (found, expected) = try lines(
            .pandas, .nics, isSubtracting: true, text: text.replacing(options, with: ""))
        try #require(found.count == expected.count)
        func difference(_ line: String) -> Double? {
            line.split(separator: ",", omittingEmptySubsequences: false).last.flatMap { Double($0) }
        }
        let wrong = zip(found, expected).count { difference($0) != difference($1) }
        #expect(wrong > 1000, "differences of two columns of timestamps")
    }

    /// A spreadsheet keeps 15 digits of a number.
    @Test(Recipe.awk.isRunnable)
    func `The fields that awk prints have no more digits than a spreadsheet keeps`() throws {
        let found = try lines(.awk, .nics).found
        for field in found.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false).dropFirst(4) })
        where !field.isEmpty {
            let number = try #require(Double(field))
            #expect(String(format: "%.15g", number) == field)
        }
    }
}
