import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

/// Tests of the kernel's notifications.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveChangesTests {
    /// The changes that are queued.
    private func queued(_ changes: RouteChanges) throws -> [RouteChange] {
        var found: [RouteChange] = []
        while try changes.receive(until: 0, { found.append($0) }) {}
        return found
    }

    private func subscribe(
        _ subjects: RouteChanges.Subjects, _ network: LiveNetwork, receiveBuffer: Int = 1 << 20
    ) throws -> RouteChanges {
        try RouteChanges(subjects, namespace: network.name, receiveBuffer: receiveBuffer)
    }

    @Test(arguments: ["192.0.2.9", "2001:db8::9", "fe80::9"])
    func `A neighbour that is replaced and removed is reported with each MAC address`(peer: String) throws {
        let network = try LiveNetwork()
        let changes = try subscribe(.neighbours, network)
        for last in ["07", "08"] {
            try network.shell("ip -n $here neigh replace \(peer) lladdr 02:00:00:00:00:\(last) dev near0 nud permanent")
        }
        try network.shell("ip -n $here neigh del \(peer) dev near0")
        let reported = try queued(changes).compactMap { change -> (MACAddress?, Bool)? in
            switch change {
            case .neighbour(let found) where found.address == address(peer): (found.macAddress, found.isUsable)
            case .neighbourRemoved(let found) where found.address == address(peer): (nil, false)
            default: nil
            }
        }
        let expected = [MACAddress("02:00:00:00:00:07"), MACAddress("02:00:00:00:00:08"), nil, nil]
        #expect(reported.map(\.0) == expected)
        #expect(reported.map(\.1) == [true, true, false, false])
    }

    @Test(arguments: ["192.0.2.9/24", "2001:db8::9/64"])
    func `An address that is added and removed is reported`(text: String) throws {
        let network = try LiveNetwork()
        let changes = try subscribe(.addresses, network)
        try network.shell("ip -n $here addr add \(text) dev near0; ip -n $here addr del \(text) dev near0")
        let wanted = address(String(text.prefix { $0 != "/" }))
        var reported: [String] = []
        for change in try queued(changes) {
            switch change {
            case .address(let found) where found.address == wanted: reported.append("added")
            case .addressRemoved(let found) where found.address == wanted: reported.append("removed")
            default: break
            }
        }
        // IPv6 may report the new address more than once.
        #expect(reported.first == "added" && reported.last == "removed")
    }

    @Test func `A link's new MTU and MAC address are reported, and its deletion`() throws {
        let network = try LiveNetwork()
        let index = network.interface.index
        let changes = try subscribe(.links, network)
        try network.shell("ip -n $here link set near0 mtu 1400 address 02:00:00:00:00:11")
        guard case .link(let link)? = try queued(changes).last else {
            Issue.record("no link")
            return
        }
        #expect(link.index == index && link.mtu == 1400 && link.macAddress == MACAddress("02:00:00:00:00:11"))
        // A port that leaves a bridge is reported as a deletion, but not of the link.
        try network.shell(
            """
            ip -n $here link add br0 type bridge
            ip -n $here link set near0 master br0
            ip -n $here link set near0 nomaster
            """)
        func isDeleted(_ change: RouteChange) -> Bool {
            if case .linkRemoved(let old) = change { old.index == index } else { false }
        }
        #expect(try !queued(changes).contains(where: isDeleted))
        try network.shell("ip -n $here link del near0")
        // The kernel may finish the deletion after the command.
        var isReported = false
        let deadline = ClockID.monotonic.now() + 2_000_000_000
        while !isReported, try changes.receive(until: deadline, { if isDeleted($0) { isReported = true } }) {}
        #expect(isReported)
    }

    @Test(arguments: [
        "ip -n $here route add 198.51.100.0/24 via 192.0.2.2", "ip -n $here route add 2001:db8:1::/64 via 2001:db8::2",
        "ip -n $here rule add from 192.0.2.9 lookup 5", "ip -n $here -6 rule add from 2001:db8::9 lookup 5",
        "ip -n $here nexthop add id 7 via 192.0.2.2 dev near0",
    ])
    func `A route, a rule and a next-hop object are reported`(command: String) throws {
        let network = try LiveNetwork()
        let changes = try subscribe(.routes, network)
        try network.shell(command)
        let found = try queued(changes)
        #expect(!found.isEmpty && found.allSatisfy { $0 == .routes })
    }

    @Test func `Only the subjects that were asked for are reported`() throws {
        let network = try LiveNetwork()
        let changes = try subscribe(.links, network)
        try network.shell(
            """
            ip -n $here neigh replace 192.0.2.9 lladdr 02:00:00:00:00:07 dev near0
            ip -n $here route add 198.51.100.0/24 via 192.0.2.2
            ip -n $here addr add 192.0.2.9/24 dev near0
            """)
        #expect(try queued(changes).isEmpty)
    }

    @Test func `Lost notifications are reported as any change, once, and later ones arrive`() throws {
        let network = try LiveNetwork()
        let changes = try subscribe(.neighbours, network, receiveBuffer: 4096)
        try network.shell(
            """
            for n in $(seq 10 209); do
                echo "neigh replace 192.0.2.$n lladdr 02:00:00:00:01:00 dev near0 nud permanent"
            done | ip -n $here -batch -
            """)
        let found = try queued(changes)
        #expect(found.filter { $0 == .everything }.count == 1)
        #expect(found.count < 200)
        try network.shell("ip -n $here neigh replace 192.0.2.9 lladdr 02:00:00:00:00:07 dev near0 nud permanent")
        #expect(try queued(changes).count == 1)
    }

    @Test func `The wait ends with a change, the signal or the deadline`() throws {
        let network = try LiveNetwork()
        let changes = try subscribe(.neighbours, network)
        let signal = try EventSignal()
        let now = ClockID.monotonic.now()
        try RouteChanges.wait(for: [changes], or: signal, until: now + 20_000_000)
        #expect(ClockID.monotonic.now() >= now + 20_000_000)
        try network.shell("ip -n $here neigh replace 192.0.2.9 lladdr 02:00:00:00:00:07 dev near0 nud permanent")
        try RouteChanges.wait(for: [changes], or: signal, until: .max)
        #expect(try queued(changes).count == 1)
        signal.raise()
        try RouteChanges.wait(for: [changes], or: signal, until: .max)
    }
}
