import FastAFPacket
import Foundation
import LinuxKernel
import Testing

/// The lab machine's NIC: QEMU's igb, which has a PHC and timestamps one sent frame at a time.
enum LabNIC {
    static let isHere = ProcessInfo.processInfo.environment["PROBE_LAB"] == "igb"

    static var interface: Interface { get throws(SystemError) { try Interface(named: "link") } }

    /// A connection for the tests' ethertype.
    static func connect(
        _ change: (inout PacketConn.Configuration) -> Void = { _ in }
    ) throws(SystemError) -> PacketConn {
        var configuration = PacketConn.Configuration()
        change(&configuration)
        return try PacketConn.listen(on: interface, etherType: testEtherType, configuration: configuration)
    }

    /// Runs `body` with another queueing discipline on the interface, in the syntax of tc(8).
    static func queueing(by discipline: String, _ body: () throws -> Void) throws {
        try run("/sbin/tc", "qdisc replace dev link root \(discipline)")
        defer { try? run("/sbin/tc", "qdisc delete dev link root") }
        try body()
    }

    /// Runs `body` with a VLAN on the interface.
    static func withVLAN(named name: String, _ body: () throws -> Void) throws {
        try run("/sbin/ip", "link add link link name \(name) up type vlan id 9")
        defer { try? run("/sbin/ip", "link delete \(name)") }
        try body()
    }

    private static func run(_ program: String, _ arguments: String) throws {
        let process = try Process.run(
            URL(fileURLWithPath: program), arguments: arguments.split(separator: " ").map(String.init))
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments)")
    }
}

extension Trait where Self == ConditionTrait {
    static var lab: Self {
        .enabled(if: LabNIC.isHere, "needs the lab's NIC: scripts/lab --nic igb --scenario sockets")
    }
}
