import Foundation
import LinuxKernel
import NetworkAddresses
import Synchronization
import Testing

@testable import Netlink

/// Two network namespaces, connected by a veth pair and removed with the object.
///
/// This side has near0 (02:00:00:00:00:01, 192.0.2.1/24, 2001:db8::1/64, fe80::1); the other side has far0 with
/// addresses that end in 2.
final class LiveNetwork {
    static let isPossible = geteuid() == 0
    static let comment: Comment = "needs root to create network namespaces"

    private static let count = Atomic<Int>(0)

    let name: String
    private let peerName: String
    private(set) var connection: NetlinkConnection
    private(set) var interface: Interface

    /// - Parameter setup: shell lines that run after the pair is up; `$here` and `$there` name the namespaces.
    init(_ setup: String = "") throws {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        name = "nltest-\(getpid())-\(number)a"
        peerName = "nltest-\(getpid())-\(number)b"
        do {
            try Self.shell(here: name, there: peerName, Self.pair + setup)
            (connection, interface) = try Self.open(name)
        } catch {
            Self.remove(name, peerName)
            throw error
        }
    }

    deinit { Self.remove(name, peerName) }

    /// A resolver whose sockets are in this side's namespace.
    func resolver(for address: IPAddress) throws -> NeighbourResolver {
        try NetworkNamespace.enter(name) { () throws(SystemError) in
            try NeighbourResolver(for: address, on: interface)
        }
    }

    /// Runs shell lines; `$here` and `$there` name the namespaces.
    func shell(_ script: String) throws { try Self.shell(here: name, there: peerName, script) }

    /// Duplicate address detection is off, so that IPv6 addresses work at once, and so is automatic addressing.
    private static let pair = """
        for n in $here $there; do
            ip netns add $n
            ip netns exec $n sh -c 'cd /proc/sys/net/ipv6/conf; echo 0 >default/accept_dad; echo 0 >all/accept_dad'
            ip -n $n link set lo up
        done
        ip -n $here link add near0 address 02:00:00:00:00:01 type veth \
            peer name far0 address 02:00:00:00:00:02 netns $there
        ip -n $here link set near0 addrgenmode none
        ip -n $there link set far0 addrgenmode none
        ip -n $there link set far0 up
        ip -n $here link set near0 up
        ip -n $here addr add 192.0.2.1/24 dev near0
        ip -n $here addr add 2001:db8::1/64 dev near0 nodad
        ip -n $here addr add fe80::1/64 dev near0 nodad
        ip -n $there addr add 192.0.2.2/24 dev far0
        ip -n $there addr add 2001:db8::2/64 dev far0 nodad
        ip -n $there addr add fe80::2/64 dev far0 nodad

        """

    /// Shell lines that add another interface to this side: other0, which is up.
    static let otherInterface = """
        ip -n $here link add other0 type veth peer name other1
        ip -n $here link set other1 up
        ip -n $here link set other0 up

        """

    private static func open(_ name: String) throws -> (NetlinkConnection, Interface) {
        let connection = try NetworkNamespace.enter(name) { () throws(SystemError) in try NetlinkConnection() }
        let interface = try NetworkNamespace.enter(name) { () throws(SystemError) in try Interface(named: "near0") }
        return (connection, interface)
    }

    private static func remove(_ name: String, _ peerName: String) {
        try? shell(here: name, there: peerName, "ip netns del $here; ip netns del $there", strict: false)
    }

    private struct Failed: Error { let status: Int32 }

    private static func shell(here: String, there: String, _ script: String, strict: Bool = true) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [strict ? "-ec" : "-c", script]
        process.environment = ProcessInfo.processInfo.environment.merging(["here": here, "there": there]) { $1 }
        if !strict { process.standardError = FileHandle.nullDevice }
        try process.run()
        process.waitUntilExit()
        if strict, process.terminationStatus != 0 { throw Failed(status: process.terminationStatus) }
    }
}

/// Parses an address literal of a test.
func address(_ text: String) -> IPAddress { IPAddress(text)! }
