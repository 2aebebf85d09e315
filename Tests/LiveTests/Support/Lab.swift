import Foundation
import Synchronization
import Testing

/// Network namespaces for one test, with the processes that run in them and a folder for their files.
///
/// ```
/// a ── b                     .pair
/// a ── middle ── b           .bridge, .relay, .router
/// ```
/// In `a` and `b`, the interface towards the other side is `probe0`; the middle has `to-a` and `to-b`. In `.bridge` a
/// Linux bridge `br0` connects these two; in `.relay` nothing connects them until the test starts a ``Relay``. In
/// `.router` the middle forwards IPv4 between `a`'s network and that of ``behindRouter``, `b`'s addresses in this
/// topology.
final class Lab: Sendable {
    enum Topology: Sendable { case pair, bridge, relay, router }
    enum Side: String, Sendable, CaseIterable {
        case a, b
        var other: Side { self == .a ? .b : .a }
    }

    /// The source of the other side's MAC address.
    enum Neighbours: Sendable {
        /// Permanent neighbour entries.
        case permanent
        /// ARP and IPv6 neighbour discovery.
        case resolved
    }

    static let interface = "probe0"
    private static let serial = Atomic<Int>(0)

    let topology: Topology
    let folder: URL
    private let name: String
    private let processes = Mutex<[ProbeProcess]>([])
    private let otherHosts = Mutex<[String]>([])

    /// Runs `body` with a new lab, then ends its processes and deletes its namespaces and files, even if `body` throws.
    static func with(
        _ topology: Topology = .pair, neighbours: Neighbours = .permanent, mtu: Int = 1500,
        _ body: (Lab) async throws -> Void
    ) async throws {
        await LabGate.shared.acquire()
        defer { LabGate.shared.release() }
        let lab = try Lab(topology, neighbours, mtu)
        let result: Result<Void, any Error>
        do { result = .success(try await body(lab)) } catch { result = .failure(error) }
        await lab.remove()
        try result.get()
    }

    private init(_ topology: Topology, _ neighbours: Neighbours, _ mtu: Int) throws {
        self.topology = topology
        name = "live\(getpid())-\(Self.serial.wrappingAdd(1, ordering: .relaxed).newValue)"
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try connect(mtu)
            for side in Side.allCases { try configure(side, neighbours) }
            if topology == .router { try route() }
        } catch {
            deleteNamespaces()
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    /// The name of a side's namespace.
    func namespace(_ side: Side) -> String { name + side.rawValue }
    /// The name of the namespace between the two. A `.pair` has none.
    var middle: String { name + "m" }

    static func ipv4(_ side: Side) -> String { side == .a ? "192.0.2.1" : "192.0.2.2" }
    /// `b`'s addresses in `.router`.
    static let behindRouter = ["198.51.100.1", "198.51.100.2"]
    static func ipv6(_ side: Side) -> String { side == .a ? "fd00:862::1" : "fd00:862::2" }
    static func linkLocal(_ side: Side) -> String { side == .a ? "fe80::862:1" : "fe80::862:2" }
    static func mac(_ side: Side) -> String { side == .a ? "02:00:00:00:08:01" : "02:00:00:00:08:02" }

    /// A path in the lab's folder.
    func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Starts the probe in a side's namespace. The lab kills it at the end if it still runs.
    func start(_ side: Side, _ arguments: [String]) throws -> ProbeProcess {
        try start(in: namespace(side), [ProbeProcess.binary] + arguments)
    }

    /// Starts any program in a side's namespace. The lab kills it at the end if it still runs.
    func start(_ side: Side, program: [String]) throws -> ProbeProcess { try start(in: namespace(side), program) }

    /// Runs `ip` in a side's namespace, for example "neigh flush dev probe0", and returns its standard output.
    @discardableResult
    func ip(_ side: Side, _ arguments: String) throws -> String {
        try run(side, ["ip"] + arguments.split(separator: " ").map(String.init))
    }

    /// Runs a program in a side's namespace to its end and returns its standard output.
    @discardableResult
    func run(_ side: Side, _ program: [String], input: String = "") throws -> String {
        try Command.run(["ip", "netns", "exec", namespace(side)] + program, input: input)
    }

    /// Adds a host to the `.bridge`: a namespace with an interface `probe0` and these addresses, such as
    /// "192.0.2.3/24".
    ///
    /// - Returns: the namespace's name.
    func addHost(_ addresses: [String]) throws -> String {
        let number = otherHosts.withLock { $0.count } + 1
        let host = "\(name)h\(number)"
        otherHosts.withLock { $0.append(host) }
        try Command.ip([
            "netns add \(host)",
            "link add \(Self.interface) netns \(host) address 02:00:00:00:09:0\(number) type veth "
                + "peer name to-h\(number) netns \(middle)",
        ])
        try Command.ip(
            ["link set \(Self.interface) addrgenmode none", "link set lo up", "link set \(Self.interface) up"]
                + addresses.map { "addr add \($0) dev \(Self.interface)" + ($0.contains(":") ? " nodad" : "") },
            in: host)
        try Command.ip(
            ["link set to-h\(number) addrgenmode none master br0", "link set to-h\(number) up"], in: middle)
        return host
    }

    /// Starts any program in a namespace. The lab kills it at the end if it still runs.
    func start(in namespace: String, _ program: [String]) throws -> ProbeProcess {
        let number = processes.withLock { $0.count }
        let process = try ProbeProcess(
            ["ip", "netns", "exec", namespace] + program, output: file("process-\(number)"))
        processes.withLock { $0.append(process) }
        return process
    }

    // MARK: - Creating and deleting

    private func connect(_ mtu: Int) throws {
        let namespaces = Side.allCases.map(namespace) + (topology == .pair ? [] : [middle])
        try Command.ip(namespaces.map { "netns add \($0)" })
        let ends = Side.allCases.map { "\(Self.interface) netns \(namespace($0)) mtu \(mtu) address \(Self.mac($0))" }
        switch topology {
        case .pair:
            try Command.ip(["link add \(ends[0]) type veth peer name \(ends[1])"])
        case .bridge, .relay, .router:
            try Command.ip([
                "link add \(ends[0]) type veth peer name to-a netns \(middle) mtu \(mtu)",
                "link add \(ends[1]) type veth peer name to-b netns \(middle) mtu \(mtu)",
            ])
            // Without link-local addresses the middle's kernel sends nothing itself.
            try Command.ip(
                ["link set to-a addrgenmode none", "link set to-b addrgenmode none"], in: middle)
            if topology == .bridge {
                try Command.ip(
                    [
                        "link add br0 type bridge", "link set br0 addrgenmode none", "link set to-a master br0",
                        "link set to-b master br0", "link set br0 up",
                    ], in: middle)
            }
            try Command.ip(["link set to-a up", "link set to-b up"], in: middle)
        }
    }

    private func configure(_ side: Side, _ neighbours: Neighbours) throws {
        let device = "dev \(Self.interface)"
        var lines = [
            "link set \(Self.interface) addrgenmode none", "link set lo up", "link set \(Self.interface) up",
            "addr add \(Self.ipv4(side))/24 \(device)", "addr add \(Self.ipv6(side))/64 \(device) nodad",
            "addr add \(Self.linkLocal(side))/64 \(device) nodad",
        ]
        if neighbours == .permanent {
            lines += [Self.ipv4, Self.ipv6, Self.linkLocal].map {
                "neigh add \($0(side.other)) lladdr \(Self.mac(side.other)) \(device)"
            }
        }
        try Command.ip(lines, in: namespace(side))
    }

    /// Moves `b` to the network behind the middle, and makes the middle forward.
    private func route() throws {
        let device = "dev \(Self.interface)"
        try Command.ip(["addr add 192.0.2.254/24 dev to-a", "addr add 198.51.100.254/24 dev to-b"], in: middle)
        try Command.ip(["route add default via 192.0.2.254 \(device)"], in: namespace(.a))
        try Command.ip(
            ["addr flush \(device)"] + Self.behindRouter.map { "addr add \($0)/24 \(device)" }
                + ["route add default via 198.51.100.254 \(device)"], in: namespace(.b))
        try Command.run(["ip", "netns", "exec", middle, "sysctl", "-q", "net.ipv4.ip_forward=1"])
    }

    private func remove() async {
        for process in processes.withLock({ $0 }) { await process.end() }
        deleteNamespaces()
        try? FileManager.default.removeItem(at: folder)
    }

    private func deleteNamespaces() {
        for namespace in Side.allCases.map(namespace) + [middle] + otherHosts.withLock({ $0 })
        where FileManager.default.fileExists(atPath: "/run/netns/\(namespace)") {
            _ = try? Command.run(["ip", "netns", "del", namespace])
        }
    }
}

/// Limits the number of concurrent labs: more would disturb one another's measurements.
final class LabGate: Sendable {
    static let shared = LabGate(places: 5)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    private init(places: Int) { state = Mutex(State(free: places)) }

    /// Waits for a place and reserves it.
    func acquire() async {
        await withCheckedContinuation { continuation in
            let hasPlace = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if hasPlace { continuation.resume() }
        }
    }

    /// Releases a place to the task that has waited longest.
    func release() {
        let next = state.withLock { state in
            if state.waiting.isEmpty {
                state.free += 1
                return CheckedContinuation<Void, Never>?.none
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

extension Trait where Self == ConditionTrait {
    /// Enables suites that create network namespaces only for root.
    static var needsRoot: Self { .enabled(if: getuid() == 0, "live tests need root: they create network namespaces") }
}
