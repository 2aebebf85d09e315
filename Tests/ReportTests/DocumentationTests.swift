import Foundation
import Testing

@testable import Report

/// Checks that docs/packet-log.md describes the formats completely.
@Suite struct DocumentationTests {
    private func lines() throws -> [Substring] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/packet-log.md"), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    @Test func `The table of columns has each column once, and no others`() throws {
        let table = try lines().drop { !$0.hasPrefix("| column |") }.dropFirst(2).prefix { $0.hasPrefix("|") }
        let names = table.flatMap { row in
            row.split(separator: "|")[0].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(names.sorted() == PacketLog.columns.sorted())
    }

    @Test func `Every value of every label column is explained`() throws {
        let table = try lines().drop { !$0.hasPrefix("| column |") }.prefix { $0.hasPrefix("|") }
        for column in PacketLogColumn.all {
            guard !column.words.isEmpty else { continue }
            var row = String(
                try #require(
                    table.first { $0.split(separator: "|")[0].contains(column.name) }, "\(column.name)"))
            // Reasons have a separate table.
            if row.contains("below") {
                row = try lines().drop { !$0.hasPrefix("| reason |") }.prefix { $0.hasPrefix("|") }.joined()
            }
            let missing = column.words.filter { !$0.isEmpty && !row.contains($0) }
            #expect(missing == [], "\(column.name)")
        }
    }

    @Test func `Every metric of the histogram export is named`() throws {
        let text = try lines().joined(separator: "\n")
        let names = HostPathStage.allCases.flatMap { [$0.text, $0.formerText].compactMap(\.self) }
        #expect(names.filter { !text.contains($0) } == [])
    }
}
