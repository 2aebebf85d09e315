import Foundation

/// Runs short commands.
enum Command {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program to its end and returns its standard output.
    ///
    /// - Throws: ``Failed`` with what it printed if its exit code is not 0.
    @discardableResult
    static func run(_ program: [String], input: String = "") throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = program
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        // No program run here writes more to standard error than a pipe holds.
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let printed = String(decoding: errors + output, as: UTF8.self)
            throw Failed(description: "\(program): \(printed)\n\(input)")
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Runs lines of `ip -batch`, in a namespace or in the host's.
    static func ip(_ lines: [String], in namespace: String? = nil) throws {
        try run(
            ["ip"] + (namespace.map { ["-n", $0] } ?? []) + ["-batch", "-"], input: lines.joined(separator: "\n") + "\n"
        )
    }
}

/// A wait that exceeded its deadline.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// Polls `condition` every 2 ms until it returns a value, and returns that value.
///
/// - Throws: ``TimedOut`` if `condition` still returns `nil` after `seconds`.
func waitFor<Value>(
    _ what: @autoclosure () -> String, within seconds: Double, _ condition: () throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        let isOver = ContinuousClock.now >= end
        if let value = try condition() { return value }
        if isOver { throw TimedOut(description: "still waiting for \(what()) after \(seconds) s") }
        try await Task.sleep(for: .milliseconds(2))
    }
}
