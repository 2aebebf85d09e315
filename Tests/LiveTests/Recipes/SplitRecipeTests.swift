import Foundation
import Report
import Testing

/// Tests that the recipes of docs/packet-log.md split a log by session. They need no root.
@Suite(.serialized) struct SplitRecipeTests {
    private func blocks() throws -> [String] {
        let blocks = try Recipe.blocks(of: "Splitting a log by session").map(\.text)
        try #require(blocks.count == 2)
        return blocks
    }

    /// Runs `body` with an empty folder.
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "split-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test(Recipe.awk.isRunnable)
    func `awk writes a log with the header for each session, and every row once and in order`() throws {
        // 1,500 sessions are more than the files that a process may have open.
        let records = SyntheticLog(.nics).records.enumerated().map { index, record in
            var record = record
            record.session = UInt64(index % 1500) << 32 | 0x1234e5
            return record
        }
        var log = Array((PacketLog.header + "\n").utf8)
        var writer = RowWriter()
        for record in records { writer.append(record, to: &log) }
        let expected = Dictionary(grouping: records, by: \.session)
        try withFolder { folder in
            try Data(log).write(to: folder.appending(path: "probe.csv"))
            // Twice: a repeated run replaces the files.
            for _ in 0..<2 {
                _ = try Command.run(["env", "-C", folder.path, "sh", "-euc", try blocks()[1]])
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "probe.csv" }
            #expect(Set(names) == Set(expected.keys.map { sessionText($0) + ".csv" }))
            for (session, rows) in expected {
                let bytes = try Data(contentsOf: folder.appending(path: sessionText(session) + ".csv"))
                let found = try PacketLogReader.records(in: Array(bytes))
                guard found == rows else {
                    Issue.record("session \(sessionText(session)): \(found.count) rows instead of \(rows.count)")
                    return
                }
            }
        }
    }

    @Test(Recipe.jq.isRunnable) func `jq lists the sessions with their peers`() throws {
        var description = RunDescription()
        description.set(peers: [
            [
                ("address", .string("192.0.2.2")), ("session", .string("0000000000000001")),
                ("source_port", .integer(50_000)), ("name", .string("paris")),
            ],
            [("address", .string("192.0.2.3")), ("session", .null), ("error", .string("no route"))],
        ])
        try withFolder { folder in
            try Data(description.json().utf8).write(to: folder.appending(path: "probe.csv.json"))
            let output = try Command.run(["env", "-C", folder.path, "sh", "-euc", try blocks()[0]])
            #expect(output == "0000000000000001\t192.0.2.2\t50000\tparis\n\t192.0.2.3\t\t\n")
        }
    }
}
