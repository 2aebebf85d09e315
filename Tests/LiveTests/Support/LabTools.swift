import Foundation
import Testing

extension Lab {
    /// Starts the probe in a side's namespace with additional environment variables, which `ip netns exec` does not
    /// get.
    func start(_ side: Side, _ arguments: [String], environment: [String: String]) throws -> ProbeProcess {
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return try start(side, program: ["env"] + variables + [ProbeProcess.binary] + arguments)
    }

    /// Runs `tc` in a side's namespace, for example "qdisc add dev probe0 root tbf rate 1mbit burst 2kb limit 3kb", and
    /// returns its standard output.
    @discardableResult
    func tc(_ side: Side, _ arguments: String) throws -> String {
        try run(side, ["tc"] + arguments.split(separator: " ").map(String.init))
    }

    /// Loads nftables rules in a side's namespace.
    func nft(_ side: Side, _ rules: String) throws { try Self.nft(namespace(side), rules) }

    /// Loads nftables rules in a namespace, for example ``middle``.
    static func nft(_ namespace: String, _ rules: String) throws {
        try Command.run(["ip", "netns", "exec", namespace, "nft", "-f", "-"], input: rules + "\n")
    }
}

extension ProbeProcess {
    /// Waits until standard error has a whole line that contains `text`, and returns the first such line.
    @discardableResult
    func waitForErrorLine(_ text: String, within seconds: Double = 10) async throws -> String {
        try await waitFor("a line with \"\(text)\" in standard error: \(errors)", within: seconds) {
            // The part after the last line end is empty or a line that is still being written.
            errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast().first { $0.contains(text) }
                .map(String.init)
        }
    }

    /// The number of frames that an interface of the process's namespace has sent: /proc/PID/net/dev, proc_pid_net(5).
    func transmittedFrames(_ interface: String) throws -> Int {
        let table = try String(contentsOfFile: "/proc/\(id)/net/dev", encoding: .utf8)
        let lines = table.split(separator: "\n").map { $0.split(whereSeparator: { $0 == " " || $0 == ":" }) }
        // Name, eight receive columns, bytes sent, packets sent.
        let line = try #require(lines.first { $0.first == interface[...] && $0.count > 10 }, "\(interface) is missing")
        return try #require(Int(line[10]), "no number: \(line[10])")
    }
}

/// The rows of a packet log as text by column name, for columns and values that ``PacketRecord`` does not have.
struct LogTable {
    let columns: [String]
    /// The rows in the log's order. An empty field is an empty string.
    let rows: [[String: String]]

    /// Reads the whole lines of a log. A last line without a line end, still being written, is ignored.
    init(_ path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        try #require(!lines.isEmpty, "no header line in \(path)")
        let header = lines.removeFirst()
        columns = header
        rows = try lines.map { fields in
            try #require(fields.count == header.count, "\(fields.count) fields, \(header.count) columns: \(fields)")
            return Dictionary(zip(header, fields)) { first, _ in first }
        }
    }
}
