import FastAFPacket
import Foundation
import LinuxKernel
import Testing

/// The NIC of a machine in the lab: QEMU's igb, which timestamps what it sends, one frame at a time, and has a clock.
enum LabCard {
    static let isHere = ProcessInfo.processInfo.environment["PROBE_LAB"] == "igb"

    static var interface: Interface { get throws(SystemError) { try Interface(named: "link") } }

    /// A connection for the tests' own ethertype.
    static func connect(
        _ change: (inout PacketConn.Configuration) -> Void = { _ in }
    ) throws(SystemError) -> PacketConn {
        var configuration = PacketConn.Configuration()
        change(&configuration)
        return try PacketConn.listen(on: interface, etherType: testEtherType, configuration: configuration)
    }

    /// Runs `body` with another queueing discipline on the interface, in the words of tc(8).
    static func queueing(by discipline: String, _ body: () throws -> Void) throws {
        try tc("qdisc replace dev link root \(discipline)")
        defer { try? tc("qdisc delete dev link root") }
        try body()
    }

    private static func tc(_ arguments: String) throws {
        let process = try Process.run(
            URL(fileURLWithPath: "/sbin/tc"), arguments: arguments.split(separator: " ").map(String.init))
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "tc \(arguments)")
    }
}

extension Trait where Self == ConditionTrait {
    static var lab: Self {
        .enabled(if: LabCard.isHere, "needs a NIC of the lab's: scripts/lab --nic igb --scenario sockets")
    }
}
