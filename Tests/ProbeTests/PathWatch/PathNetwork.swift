import CLinux
import Foundation
import LinuxKernel
import Netlink
import NetworkAddresses
import Synchronization
import Testing

@testable import probe

/// Two network namespaces, connected by a veth pair and removed with the object.
///
/// This side has near0 (02:00:00:00:00:01, 192.0.2.1/24, 2001:db8::1/64, fe80::1); the other side has far0 with
/// addresses that end in 2.
final class PathNetwork {
    static let isPossible = geteuid() == 0
    static let comment: Comment = "needs root to create network namespaces"

    private static let count = Atomic<Int>(0)
    private let names: [String: String]
    let interface: Interface
    /// Requests in this side's namespace.
    private let connection: NetlinkConnection

    /// - Parameter setup: shell lines that run after the pair is up; `$here` and `$there` name the namespaces.
    init(_ setup: String = "") throws {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        let names = ["here": "path-\(getpid())-\(number)a", "there": "path-\(getpid())-\(number)b"]
        do {
            try Self.shell(names, Self.pair + setup)
            (interface, connection) = try NetworkNamespace.enter(names["here"]!) { () throws(SystemError) in
                (try Interface(named: "near0"), try NetlinkConnection())
            }
        } catch {
            Self.remove(names)
            throw error
        }
        self.names = names
    }

    deinit { Self.remove(names) }

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

    /// Runs shell lines; `$here` and `$there` name the namespaces.
    func shell(_ script: String) throws { try Self.shell(names, script) }

    /// Sets a neighbour entry with a MAC address 02:00:00:00:00:XX, permanent unless given another state.
    ///
    /// - Returns: a time before the change, in CLOCK_MONOTONIC nanoseconds.
    @discardableResult
    func setNeighbour(
        _ address: String, _ last: UInt64, _ state: Int32 = NUD_PERMANENT, on index: Int32? = nil
    ) throws -> Int64 {
        var header = ndmsg()
        let address = try #require(IPAddress(address))
        header.ndm_family = UInt8(address.isIPv4 ? AF_INET : AF_INET6)
        header.ndm_ifindex = index ?? interface.index
        header.ndm_state = UInt16(state)
        var message = MessageWriter(
            type: UInt16(RTM_NEWNEIGH), flags: UInt16(NLM_F_CREATE | NLM_F_REPLACE), fixed: header)
        message.attributes.put(UInt16(NDA_DST), address)
        if state != NUD_FAILED {
            message.attributes.put(UInt16(NDA_LLADDR), bytes: (0..<6).map { station(last).octet($0) })
        }
        let now = ClockID.monotonic.now()
        _ = try connection.request("set the neighbour", message) { _ throws(NetlinkFormatError) in Int?.none }
        return now
    }

    /// Runs `body` while a watch with these peers runs, and returns the watch's result.
    ///
    /// - Parameter retryInterval: an hour by default, so that only changes make the watch read the tables.
    func watch(
        _ peers: [PathWatch.Peer] = [], receiveBuffer: Int = 1 << 20,
        retryInterval: Int64 = 3_600_000_000_000, _ recorder: PathRecorder = PathRecorder(),
        _ body: (PathWatch, PathRecorder) async throws -> Void
    ) async throws -> PathWatch.Result {
        let interface = interface
        var opened: Swift.Result<PathWatch, ProbeError>?
        try NetworkNamespace.enter(names["here"]!) { () throws(SystemError) in
            opened = Swift.Result { () throws(ProbeError) in
                try PathWatch(
                    interface, peers: peers, receiveBuffer: receiveBuffer, retryInterval: retryInterval,
                    recorder.reports)
            }
        }
        let watch = try #require(opened).get()
        async let result = PacketThread.run(named: "probe-path") { watch.run() }
        defer { watch.stop.raise() }
        try await recorder.wait("the link") { !$0.links.isEmpty }
        try await body(watch, recorder)
        watch.stop.raise()
        return try await result
    }

    private static func remove(_ names: [String: String]) {
        try? shell(names, "ip netns del $here; ip netns del $there", strict: false)
    }

    private struct Failed: Error { let status: Int32 }

    private static func shell(_ names: [String: String], _ script: String, strict: Bool = true) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [strict ? "-ec" : "-c", script]
        process.environment = ProcessInfo.processInfo.environment.merging(names) { $1 }
        if !strict { process.standardError = FileHandle.nullDevice }
        try process.run()
        process.waitUntilExit()
        if strict, process.terminationStatus != 0 { throw Failed(status: process.terminationStatus) }
    }
}

/// The MAC address 02:00:00:00:00:XX.
func station(_ last: UInt64) -> MACAddress { MACAddress(rawValue: 0x02_00_00_00_00_00 | last) }

/// A peer of a test.
func pathPeer(_ address: String, nextHop: String? = nil, mac: MACAddress? = nil) -> PathWatch.Peer {
    let overrides = PeerPath.Overrides(source: nil, nextHop: nextHop.map { IPAddress($0)! }, macAddress: mac)
    return PathWatch.Peer(address: IPAddress(address)!, overrides: overrides)
}

/// Records a watch's reports.
final class PathRecorder: Sendable {
    struct Hop: Hashable {
        var peer: Int
        var mac: MACAddress
    }

    struct State {
        /// The reports of MAC addresses, oldest first, and their times in CLOCK_MONOTONIC nanoseconds.
        var hops: [Hop] = []
        var times: [Int64] = []
        var addresses: [[IPAddress]] = []
        var links: [Link?] = []

        /// The last MAC address of a peer.
        func mac(_ peer: Int) -> MACAddress? { hops.last { $0.peer == peer }?.mac }
    }

    private let state = Mutex(State())
    private let onHop: @Sendable (Hop) -> Void

    /// - Parameter onHop: called on the watch's thread after a MAC address was recorded.
    init(onHop: @escaping @Sendable (Hop) -> Void = { _ in }) { self.onHop = onHop }

    var current: State { state.withLock(\.self) }

    var reports: PathWatch.Reports {
        PathWatch.Reports { [self] peer, mac in
            let hop = Hop(peer: peer, mac: mac)
            state.withLock {
                $0.hops.append(hop)
                $0.times.append(ClockID.monotonic.now())
            }
            onHop(hop)
        } addresses: { [self] addresses in
            state.withLock { $0.addresses.append(addresses) }
        } link: { [self] link in
            state.withLock { $0.links.append(link) }
        }
    }

    struct TimedOut: Error, CustomStringConvertible { let description: String }

    /// Waits for a condition, 10 seconds at most.
    func wait(_ what: String, _ condition: (State) throws -> Bool) async throws {
        let end = ClockID.monotonic.now() + 10_000_000_000
        while try !condition(current) {
            if ClockID.monotonic.now() > end { throw TimedOut(description: "still waiting for \(what): \(current)") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Waits until the watch has read the tables for the last time after a change, so that only another change makes it
    /// read them again. Nothing reports that, so time has to pass: more than two intervals.
    func settle() async throws { try await Task.sleep(for: .milliseconds(300)) }

    /// Waits until the last MAC address of a peer is 02:00:00:00:00:XX.
    func wait(for peer: Int = 0, _ last: UInt64) async throws {
        try await wait("\(station(last)) of peer \(peer)") { $0.mac(peer) == station(last) }
    }
}
