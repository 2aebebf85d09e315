import Foundation
import Testing

@testable import LinuxKernel

/// Namespaces identified by their `ip netns` names.
@Suite(.enabled(if: getuid() == 0, "needs root: it makes a network namespace"))
struct NetworkNamespaceTests {
    /// Runs `body` with the name of a temporary namespace.
    private func withNamespace(_ body: (String) throws -> Void) throws {
        let name = "krn\(getpid())-\(UInt16.random(in: 0 ... .max))"
        try ip("netns", "add", name)
        defer { try? ip("netns", "del", name) }
        try body(name)
    }

    private func ip(_ arguments: String...) throws {
        let process = try Process.run(URL(fileURLWithPath: "/usr/bin/env"), arguments: ["ip"] + arguments)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private var current: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/net")
    }

    @Test func `the body runs inside, and the thread returns to its namespace even if the body throws`() throws {
        try withNamespace { name in
            let before = try #require(current)
            var inside: String?
            try ip("-n", name, "link", "add", "name", "only0", "type", "bridge")
            let index = try NetworkNamespace.enter(name) { () throws(SystemError) in
                inside = current
                return try Interface(named: "only0").index
            }
            #expect(index > 0 && inside != nil && inside != before && current == before)
            #expect(throws: SystemError.self) {
                try NetworkNamespace.enter(name) { () throws(SystemError) in throw SystemError("fail", code: EIO) }
            }
            #expect(current == before)
            #expect(throws: SystemError.self) { try Interface(named: "only0") }
        }
    }

    @Test func `an unknown name throws ENOENT, names the namespace and the command that lists the others`() throws {
        let before = current
        let error = try #require(throws: SystemError.self) { try NetworkNamespace.enter("nosuch-namespace") {} }
        #expect(error.code == ENOENT && current == before)
        #expect(error.remedy?.contains("\"nosuch-namespace\" not found") == true)
        #expect(error.remedy?.contains("`ip netns list`") == true)
    }
}
