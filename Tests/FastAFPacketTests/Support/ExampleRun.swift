import Foundation
import Testing

/// A run of one of the example programs in one side's namespace, with its output in files.
final class ExampleRun {
    private let process = Process()
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    /// - Parameter before: a command that runs the program; empty to run it directly.
    init(_ name: String, _ side: VethPair.Side, _ arguments: [String], before: [String] = []) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // The examples are in the test bundle's directory.
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent(name).path
        let namespace = try VethPair.current.namespace(side)
        process.arguments = ["ip", "netns", "exec", namespace] + before + [program] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try file("out")
        process.standardError = try file("err")
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    private func file(_ name: String) throws -> FileHandle {
        let url = folder.appendingPathComponent(name)
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }

    /// The complete lines so far.
    var lines: [String] {
        text("out").split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
    var errors: String { text("err") }
    var isRunning: Bool { process.isRunning }

    /// The `name=value` pairs of the lines that begin with `word`, or of all lines.
    func packets(_ word: String = "") -> [[String: String]] {
        lines.filter { word.isEmpty || $0.hasPrefix(word + " ") }.map { line in
            let pairs = line.split(separator: " ").filter { $0.contains("=") }.map { $0.split(separator: "=") }
            return Dictionary(pairs.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }) { first, _ in first }
        }
    }

    /// Returns once the program waits for packets in ppoll(2).
    func untilWaiting() throws {
        let path = "/proc/\(process.processIdentifier)/syscall"
        let waits = eventually {
            let call = try? String(contentsOfFile: path, encoding: .utf8)
            return ["271", "73"].contains(call?.split(separator: " ").first.map(String.init))
        }
        try #require(waits, "\(errors)")
    }

    /// Interrupts the program as Ctrl-C does, and returns its exit code.
    func interrupt() -> Int32 {
        process.interrupt()
        return exitCode()
    }

    /// The program's exit code; -1 if it does not end by itself.
    func exitCode() -> Int32 {
        guard eventually({ !process.isRunning }) else {
            kill(process.processIdentifier, SIGKILL)
            return -1
        }
        return process.terminationStatus
    }
}
