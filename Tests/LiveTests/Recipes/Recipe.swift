import Foundation
import Testing

/// A recipe of docs/packet-log.md: a fenced block of the section "Reading the log without losing a nanosecond".
enum Recipe: String, CaseIterable {
    case awk, jq, jqOfJSONLines, python, pandas, duckDB

    /// The heading that the block is below, and its place among the blocks below it.
    private var place: (heading: String, index: Int) {
        switch self {
        case .awk: ("awk", 0)
        case .jq: ("jq", 0)
        case .jqOfJSONLines: ("jq", 1)
        case .python: ("Python", 0)
        case .pandas: ("pandas", 0)
        case .duckDB: ("DuckDB", 0)
        }
    }

    /// The block's text, from the document.
    var text: String {
        get throws {
            let blocks = try Self.blocks().filter { $0.heading == place.heading }
            return try #require(blocks.dropFirst(place.index).first, "docs/packet-log.md has no recipe for \(self)")
                .text
        }
    }

    /// A section's blocks in the document's order, each with the heading that it is below.
    static func blocks(
        of title: String = "Reading the log without losing a nanosecond"
    ) throws -> [(heading: String, text: String)] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let section = try String(contentsOf: root.appending(path: "docs/packet-log.md"), encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .drop { $0 != "## \(title)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
        var blocks: [(heading: String, text: String)] = []
        var heading = ""
        var isInside = false
        for line in section {
            if line.hasPrefix("```") {
                isInside.toggle()
                if isInside { blocks.append((heading, "")) }
            } else if isInside {
                blocks[blocks.count - 1].text += line + "\n"
            } else if line.hasPrefix("### ") {
                heading = String(line.dropFirst(4))
            }
        }
        return blocks
    }

    /// Runs a recipe in a folder that has the files it reads, and returns what it prints.
    ///
    /// - Parameter text: Another text than the document's.
    func run(in folder: URL, text: String? = nil) throws -> String {
        let text = try text ?? self.text
        let program =
            switch self {
            case .awk, .jq, .jqOfJSONLines: ["sh", "-euc", text]
            case .python, .pandas: [Self.pythonPath, "-c", text]
            // The recipe is SQL, and yields rows. Printing an integer as text loses nothing.
            case .duckDB:
                [
                    Self.pythonPath, "-c",
                    """
                    import csv, duckdb, sys
                    csv.writer(sys.stdout, lineterminator="\\n").writerows(duckdb.sql(sys.argv[1]).fetchall())
                    """, text,
                ]
            }
        return try Command.run(["env", "-C", folder.path] + program)
    }

    // MARK: - Programs

    /// The Python that has pandas and DuckDB: PROBE_PYTHON, or the system's.
    private static let pythonPath = ProcessInfo.processInfo.environment["PROBE_PYTHON"] ?? Interop.python
    private static let isCI = ProcessInfo.processInfo.environment["CI"] != nil

    /// A command that succeeds if the program that a recipe needs is there, and the program's name.
    private var requirement: (command: [String], name: String) {
        switch self {
        case .awk: (["sh", "-c", "command -v awk"], "awk")
        case .jq, .jqOfJSONLines: (["jq", "--version"], "jq")
        case .python: ([Self.pythonPath, "-c", "import csv"], "Python")
        case .pandas: ([Self.pythonPath, "-c", "import pandas"], "\(Self.pythonPath)'s module pandas")
        case .duckDB: ([Self.pythonPath, "-c", "import duckdb"], "\(Self.pythonPath)'s module duckdb")
        }
    }

    private var isPossible: Bool { (try? Command.run(requirement.command)) != nil }

    /// Skips a test without the program that its recipe needs. In CI such a test runs, and fails.
    var isRunnable: ConditionTrait {
        .enabled(
            if: Self.isCI || isPossible,
            "\(requirement.name) is missing: scripts/test installs it, and sets PROBE_PYTHON")
    }
}
