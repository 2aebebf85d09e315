import Foundation
import Testing

/// Checks that the article's example is the compiled one, and that the article lists every public type.
@Suite struct ArticleTests {
    private static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func lines(_ path: String) throws -> [String] {
        try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func article() throws -> [String] { try lines("Sources/STAMPSession/STAMPSession.docc/STAMPSession.md") }

    @Test func `The article's example is a part of the example program`() throws {
        let example = Array(try article().drop { $0 != "```swift" }.dropFirst().prefix { $0 != "```" })
        let program = try lines("Examples/session-over-socketpair/SessionOverSocketPair.swift")
        #expect(example.count > 5)
        #expect(program.indices.contains { program[$0...].starts(with: example) })
    }

    @Test func `The article lists every public type`() throws {
        let folder = Self.root.appendingPathComponent("Sources/STAMPSession")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        let declared = /public (?:struct|enum|class|protocol) (\w+)/
        let names = try files.flatMap { file in
            // Types within other types are listed with them.
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("public ") }
                .compactMap { try declared.firstMatch(in: $0).map { String($0.1) } }
        }
        #expect(names.count > 10)
        let listed = Set(try article())
        #expect(names.filter { !listed.contains("- ``\($0)``") } == [])
    }
}
