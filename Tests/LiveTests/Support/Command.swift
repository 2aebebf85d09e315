import Foundation

/// Commands that are over at once.
enum Command {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program to its end and returns its standard output.
    ///
    /// - Throws: ``Failed`` with its standard error when it does not end with 0.
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
        // Nothing that is run here writes more to standard error than a pipe holds.
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failed(description: "\(program): \(String(decoding: errors, as: UTF8.self))\n\(input)")
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Runs lines of `ip`, in a namespace or in the host's own.
    static func ip(_ lines: [String], in namespace: String? = nil) throws {
        try run(
            ["ip"] + (namespace.map { ["-n", $0] } ?? []) + ["-batch", "-"], input: lines.joined(separator: "\n") + "\n"
        )
    }
}

/// What did not happen in time.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// Returns as soon as `condition` gives a value.
///
/// - Throws: ``TimedOut`` when it does not in time.
func waitFor<Value>(
    _ what: @autoclosure () -> String, within seconds: Double, _ condition: () throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        let isOver = ContinuousClock.now >= end
        if let value = try condition() { return value }
        if isOver { throw TimedOut(description: "after \(seconds) s still waiting for \(what())") }
        try await Task.sleep(for: .milliseconds(2))
    }
}
