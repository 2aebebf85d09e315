import Foundation
import LinuxKernel
import Synchronization
import Testing

/// Two network namespaces of one test with a veth pair between them.
///
/// Both ends have the same name in different namespaces.
final class VethPair: Sendable {
    enum Side: Sendable { case left, right }

    /// The pair of the running test case: ``VethPairTrait``.
    static var current: VethPair {
        get throws { try #require(running, "the suite lacks the trait .vethPair") }
    }
    @TaskLocal fileprivate static var running: VethPair?

    static let interfaceName = "probe0"
    private static let serial = Atomic<Int>(0)

    let left: String
    let right: String

    /// - Parameter mtu: the MTU of both ends.
    init(mtu: Int = 1500) throws {
        Self.sweep
        let number = Self.serial.wrappingAdd(1, ordering: .relaxed).newValue
        left = "afp\(getpid())-\(number)l"
        right = "afp\(getpid())-\(number)r"
        let name = Self.interfaceName
        do {
            // Duplicate address detection would send frames and keep addresses unusable meanwhile.
            try Self.batch([
                "netns add \(left)", "netns add \(right)",
                "link add \(name) netns \(left) mtu \(mtu) address \(Self.mac(.left)) type veth peer name \(name) "
                    + "netns \(right) mtu \(mtu) address \(Self.mac(.right))",
            ])
            for side in [Side.left, .right] {
                let other: Side = side == .left ? .right : .left
                try Self.batch(
                    [
                        "link set \(name) addrgenmode none", "link set lo up", "link set \(name) up",
                        "addr add \(Self.ipv4(side))/24 dev \(name)",
                        "addr add \(Self.ipv6(side))/64 dev \(name) nodad",
                        "neigh add \(Self.ipv4(other)) lladdr \(Self.mac(other)) dev \(name)",
                        "neigh add \(Self.ipv6(other)) lladdr \(Self.mac(other)) dev \(name)",
                    ], in: namespace(side))
            }
            for side in [Side.left, .right] { try waitUntilActive(side) }
        } catch {
            remove()
            throw error
        }
    }

    /// Returns once the interface has a queue: until then the kernel silently drops what is sent.
    func waitUntilActive(_ side: Side, _ name: String = VethPair.interfaceName) throws {
        let end = soon()
        while ClockID.monotonic.now() < end {
            let text = try Self.run(["ip", "-n", namespace(side), "link", "show", "dev", name])
            if text.contains("state UP"), !text.contains("qdisc noop") { return }
        }
        throw CommandError(text: "\(name) does not come up")
    }

    /// Removes the namespaces of test processes that crashed.
    private static let sweep: Void = {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        where name.hasPrefix("afp") && name.contains("-") {
            guard let owner = Int32(name.dropFirst(3).prefix { $0 != "-" }), kill(owner, 0) != 0, errno == ESRCH else {
                continue
            }
            _ = try? run(["ip", "netns", "del", name], quietly: true)
        }
    }()

    func namespace(_ side: Side) -> String { side == .left ? left : right }
    static func mac(_ side: Side) -> String { side == .left ? "02:00:00:00:00:01" : "02:00:00:00:00:02" }
    static func ipv4(_ side: Side) -> String { side == .left ? "10.9.8.1" : "10.9.8.2" }
    static func ipv6(_ side: Side) -> String { side == .left ? "fd00:9::1" : "fd00:9::2" }

    /// The interface on one side.
    func interface(_ side: Side, named name: String = VethPair.interfaceName) throws(SystemError) -> Interface {
        try NetworkNamespace.enter(namespace(side)) { () throws(SystemError) in try Interface(named: name) }
    }

    /// Runs `body` inside one side's namespace.
    func enter<Result: ~Copyable>(
        _ side: Side, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try NetworkNamespace.enter(namespace(side), body)
    }

    /// Runs `ip` inside one side's namespace.
    func ip(_ side: Side, _ arguments: String) throws { try Self.batch([arguments], in: namespace(side)) }

    /// Runs a program inside one side's namespace.
    func run(_ side: Side, _ program: [String]) throws {
        try Self.run(["ip", "netns", "exec", namespace(side)] + program)
    }

    /// Runs a program inside one side's namespace and returns what it prints.
    func output(_ side: Side, _ program: [String]) throws -> String {
        try Self.run(["ip", "netns", "exec", namespace(side)] + program)
    }

    func remove() {
        for name in [left, right] { _ = try? Self.run(["ip", "netns", "del", name], quietly: true) }
    }

    private static func batch(_ lines: [String], in namespace: String? = nil) throws {
        try run(
            ["ip"] + (namespace.map { ["-n", $0] } ?? []) + ["-batch", "-"], input: lines.joined(separator: "\n") + "\n"
        )
    }

    struct CommandError: Error { let text: String }

    @discardableResult
    private static func run(_ command: [String], input: String = "", quietly: Bool = false) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = quietly ? FileHandle.nullDevice : stderr
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let text = quietly ? Data() : stderr.fileHandleForReading.readDataToEndOfFile()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandError(text: "\(command): \(String(decoding: text, as: UTF8.self))\n\(input)")
        }
        return String(decoding: output, as: UTF8.self)
    }
}

/// Creates a ``VethPair`` for each test case of a suite and removes it afterwards, however the test ends.
struct VethPairTrait: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let pair = try VethPair()
        defer { pair.remove() }
        try await VethPair.$running.withValue(pair) { try await function() }
    }
}

extension Trait where Self == VethPairTrait {
    static var vethPair: Self { VethPairTrait() }
}

extension Trait where Self == ConditionTrait {
    static var needsRoot: Self { .enabled(if: getuid() == 0, "needs root: it creates network namespaces") }
}
