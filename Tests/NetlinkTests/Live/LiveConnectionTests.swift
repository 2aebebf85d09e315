import CLinux
import Glibc
import LinuxKernel
import Testing

@testable import Netlink

/// Tests against the kernel: groups, options, filters, namespaces, lost notifications.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveConnectionTests {
    /// A deadline in two seconds.
    private func soon() -> Int64 { ClockID.monotonic.now() + 2_000_000_000 }

    /// The number of queued notifications of new neighbours.
    private func newNeighbours(_ connection: NetlinkConnection) throws -> Int {
        var count = 0
        while let datagram = try connection.receive("listen", until: 0) {
            var messages = datagram.messages
            while let message = messages.next() {
                if message.type == UInt16(RTM_NEWNEIGH) { count += 1 }
            }
        }
        return count
    }

    /// Shell lines that add permanent neighbours 192.0.2.FIRST to LAST.
    private func neighbours(_ range: ClosedRange<Int>) -> String {
        """
        for n in $(seq \(range.lowerBound) \(range.upperBound)); do
            echo "neigh replace 192.0.2.$n lladdr 02:00:00:00:01:00 dev near0 nud permanent"
        done | ip -n $here -batch -

        """
    }

    private func listener(_ network: LiveNetwork) throws -> NetlinkConnection {
        let listener = try NetlinkConnection(namespace: network.name)
        try listener.join(group: RTNLGRP_NEIGH.rawValue)
        return listener
    }

    @Test func `A group's notifications arrive from joining to leaving`() throws {
        let network = try LiveNetwork()
        let listener = try listener(network)
        try network.shell(neighbours(10...12))
        #expect(try newNeighbours(listener) == 3)
        try listener.leave(group: RTNLGRP_NEIGH.rawValue)
        try network.shell(neighbours(13...15))
        #expect(try newNeighbours(listener) == 0)
    }

    @Test func `A socket is opened in a namespace given by name or path`() throws {
        let network = try LiveNetwork()
        let index = network.interface.index
        for namespace in [network.name, "/run/netns/\(network.name)"] {
            let connection = try NetlinkConnection(namespace: namespace)
            #expect(try connection.link(index).name == "near0")
        }
    }

    @Test func `A missing namespace is an error with a remedy`() throws {
        let error = #expect(throws: SystemError.self) { try NetlinkConnection(namespace: "nltest-none") }
        #expect(error?.code == ENOENT)
        #expect(error?.description.contains("ip netns list") == true)
    }

    @Test func `A full buffer is a temporary error, and every lost notification is counted`() throws {
        let network = try LiveNetwork()
        let listener = try listener(network)
        #expect(try listener.drops() == 0)
        #expect(try listener.setReceiveBuffer(4096) >= 4096)
        try network.shell(neighbours(10...209))
        let error = #expect(throws: NetlinkError.self) { try newNeighbours(listener) }
        #expect(error?.code == ENOBUFS)
        let kept = try newNeighbours(listener)
        #expect(kept > 0 && kept < 200)
        #expect(try kept + Int(listener.drops()) == 200)
    }

    @Test func `Lost notifications are counted even when the error is suppressed`() throws {
        let network = try LiveNetwork()
        let listener = try listener(network)
        try listener.ignoreOverruns()
        _ = try listener.setReceiveBuffer(4096)
        try network.shell(neighbours(10...209))
        #expect(try newNeighbours(listener) + Int(listener.drops()) == 200)
    }

    @Test func `A filter drops messages for which it returns 0`() throws {
        let network = try LiveNetwork()
        let listener = try listener(network)
        let nothing = FilterInstruction(code: UInt16(BPF_RET | BPF_K), k: 0)
        try listener.attach([nothing])
        try network.shell(neighbours(10...12))
        #expect(try newNeighbours(listener) == 0)
        try listener.detachFilter()
        try listener.detachFilter()
        try network.shell(neighbours(13...14))
        #expect(try newNeighbours(listener) == 2)
        let error = #expect(throws: SystemError.self) { try listener.attach([FilterInstruction]()) }
        #expect(error?.code == EINVAL)
    }

    @Test func `Notifications of other namespaces carry the namespace's id`() throws {
        let network = try LiveNetwork()
        let listener = try listener(network)
        try listener.listenToAllNamespaces()
        try network.shell(
            "ip -n $there neigh replace 192.0.2.99 lladdr 02:00:00:00:01:00 dev far0 nud permanent\n"
                + neighbours(10...10))
        let far = try #require(try listener.receive("listen", until: soon()))
        // The veth pair has assigned the other namespace its id in this one, which is the first.
        #expect(far.namespaceID == 0)
        let near = try #require(try listener.receive("listen", until: soon()))
        #expect(near.namespaceID == nil)
    }

    @Test func `A kernel's family has its groups`() throws {
        let connection = try NetlinkConnection(protocol: NETLINK_GENERIC)
        let control = try connection.genericFamily("nlctrl")
        #expect(control.identifier == UInt16(GENL_ID_CTRL))
        #expect(control.groups["notify"] != nil)
        let error = #expect(throws: NetlinkError.self) { try connection.genericFamily("no-such-family") }
        #expect(error?.code == ENOENT)
    }
}
