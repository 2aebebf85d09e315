import Foundation
import Glibc
import LinuxKernel
import Synchronization
import Testing

/// A process whose standard output and standard error are captured to files.
///
/// `ip netns exec` replaces itself with the program, so ``id`` is the program's process ID.
final class ProbeProcess: Sendable {
    /// The probe under test: PROBE_BINARY, or the one next to the test bundle.
    static let binary: String =
        ProcessInfo.processInfo.environment["PROBE_BINARY"]
        ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("probe").path

    let id: pid_t
    private let outputPath: String
    private let errorPath: String
    private let ended: Ended

    /// Starts a program.
    ///
    /// - Parameter output: The common prefix of the two files' paths.
    init(_ command: [String], output: String) throws {
        outputPath = output + ".out"
        errorPath = output + ".err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // A pipe of another thread, if inherited, would stay open. Closing a descriptor that is not open is no error
        // here.
        for descriptor in Int32(3)..<512 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        // The test runner may block or ignore signals; the probe starts with the defaults.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child = pid_t()
        let error = posix_spawnp(&child, command[0], &actions, &attributes, &arguments, environ)
        guard error == 0 else {
            throw Command.Failed(description: "\(command): \(String(cString: strerror(error)))")
        }
        id = child
        ended = Ended(child)
    }

    deinit { signal(SIGKILL) }

    /// Its standard output so far.
    var output: String { Self.text(outputPath) }
    /// Its standard error so far.
    var errors: String { Self.text(errorPath) }
    /// The lines of its standard output so far.
    var lines: [Substring] { output.split(separator: "\n") }

    /// Sends a signal, unless it has ended.
    func signal(_ number: Int32) { if exitCode == nil { kill(id, number) } }

    /// The exit code, or 128 plus the number of the signal that killed it; `nil` while it runs.
    var exitCode: Int32? { ended.value.withLock { $0?.code } }
    /// The time at which it ended, in CLOCK_MONOTONIC nanoseconds; `nil` while it runs. A busy test may read it later.
    var endTime: Int64? { ended.value.withLock { $0?.time } }

    /// Waits for the end of a process on a separate thread.
    private final class Ended: Sendable {
        let value = Mutex<(code: Int32, time: Int64)?>(nil)

        init(_ id: pid_t) {
            Thread.detachNewThread { [self] in
                var raw: Int32 = 0
                while waitpid(id, &raw, 0) < 0, errno == EINTR {}
                let end = (raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f), ClockID.monotonic.now())
                value.withLock { $0 = end }
            }
        }
    }

    /// Waits until it ends and returns the exit code.
    func exit(within seconds: Double = 20) async throws -> Int32 {
        try await waitFor("the end of process \(id); standard error: \(errors)", within: seconds) { exitCode }
    }

    /// Waits until it ends, requires exit code 0, and returns the summary that `--output json` prints.
    func summary(within seconds: Double = 20, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Summary
    {
        let code = try await exit(within: seconds)
        try #require(code == 0, "exit code \(code): \(errors)", sourceLocation: sourceLocation)
        return try Summary(lastLineOf: output)
    }

    /// Waits until standard output contains a text.
    func waitForOutput(_ text: String, within seconds: Double = 10) async throws {
        try await waitFor("\"\(text)\" in standard output; standard error: \(errors)", within: seconds) {
            output.contains(text) ? () : nil
        }
    }

    /// Waits until standard error contains a text.
    func waitForError(_ text: String, within seconds: Double = 10) async throws {
        try await waitFor("\"\(text)\" in standard error: \(errors)", within: seconds) {
            errors.contains(text) ? () : nil
        }
    }

    /// Waits until the log at `path` has at least `count` rows.
    func waitForRows(_ count: Int, in path: String, within seconds: Double = 15) async throws {
        try await waitFor("\(count) rows in \(path); standard error: \(errors)", within: seconds) {
            let data = FileManager.default.contents(atPath: path) ?? Data()
            return data.count(where: { $0 == UInt8(ascii: "\n") }) > count ? () : nil
        }
    }

    /// Kills it if it still runs, and waits until it has ended.
    func end() async {
        signal(SIGKILL)
        _ = try? await exit(within: 5)
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
