import Foundation
import Testing

/// The JSON object that a run with `--output json` prints last.
struct Summary {
    private let object: [String: Any]

    init(lastLineOf output: String) throws {
        let line = try #require(output.split(separator: "\n").last, "nothing was printed")
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        object = try #require(value as? [String: Any], "not an object: \(line)")
        try #require(object["type"] as? String == "summary", "not a summary: \(line)")
    }

    /// The value at a path of keys: "forward.packets.sent".
    func value(_ path: String) -> Any? {
        path.split(separator: ".").reduce(object as Any?) { ($0 as? [String: Any])?[String($1)] }
    }

    /// The integer at a path of keys; `nil` where there is none.
    subscript(path: String) -> Int? { (value(path) as? NSNumber)?.intValue }

    /// The text at a path of keys; `nil` where there is none.
    func text(_ path: String) -> String? { value(path) as? String }

    /// The keys of the object at a path.
    func keys(_ path: String) -> [String] { (value(path) as? [String: Any])?.keys.sorted() ?? [] }

    /// The session's id, which the log's rows carry.
    var session: UInt64 { get throws { try #require(text("session").flatMap { UInt64($0, radix: 16) }) } }
}
