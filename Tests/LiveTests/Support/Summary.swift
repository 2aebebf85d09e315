import Foundation
import Testing

/// The summary that `--output json` prints as its last line.
struct Summary {
    private let object: [String: Any]

    init(lastLineOf output: String) throws {
        let line = try #require(output.split(separator: "\n").last, "there is no output")
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        object = try #require(value as? [String: Any], "not an object: \(line)")
        try #require(object["type"] as? String == "summary", "not a summary: \(line)")
    }

    /// The objects of a type among the lines of an output: "summary", "peers".
    static func all(_ type: String, in output: String) throws -> [Summary] {
        try output.split(separator: "\n").map { line in
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return Summary(try #require(value as? [String: Any], "not an object: \(line)"))
        }.filter { $0.text("type") == type }
    }

    private init(_ object: [String: Any]) { self.object = object }

    /// The value at a path of keys: "forward.packets.sent".
    func value(_ path: String) -> Any? {
        path.split(separator: ".").reduce(object as Any?) { ($0 as? [String: Any])?[String($1)] }
    }

    /// The integer at a path of keys; `nil` if there is none.
    subscript(path: String) -> Int? { (value(path) as? NSNumber)?.intValue }

    /// The string at a path of keys; `nil` if there is none.
    func text(_ path: String) -> String? { value(path) as? String }

    /// The objects of the array at a path.
    func objects(_ path: String) -> [Summary] { (value(path) as? [[String: Any]] ?? []).map(Summary.init) }

    /// The keys of the object at a path.
    func keys(_ path: String) -> [String] { (value(path) as? [String: Any])?.keys.sorted() ?? [] }

    /// The session's ID, as in the log's rows.
    var session: UInt64 { get throws { try #require(text("session").flatMap { UInt64($0, radix: 16) }) } }
}
