import CLinux
import Glibc
import NetworkAddresses
import Testing

@testable import Netlink

@Suite struct NeighbourRequestTests {
    private let peer = IPAddress.v4(0xC000_0202)

    @Test func `An entry is requested by address and interface`() throws {
        let kernel = ScriptedKernel([[Captured.neighbourStale, Captured.ack]])
        let found = try kernel.connection.neighbour(peer, on: 2)
        #expect(found?.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(
            kernel.requests == [
                bytes("24000000 1e00 0500 01000000 92100000 02000000 02000000 00000000 0800 0100 c0000202")
            ])
    }

    @Test func `A missing entry is nil`() throws {
        let kernel = ScriptedKernel([[Captured.noNeighbour]])
        #expect(try kernel.connection.neighbour(peer, on: 2) == nil)
    }

    @Test func `A kernel that cannot look up one entry is asked for the whole table`() throws {
        let refused = message(
            type: NLMSG_ERROR, sequence: 7, payload: native(Int32(-EOPNOTSUPP)) + Captured.ack.prefix(16))
        var other = Captured.neighbourStale
        // The same address on interface 3 comes first.
        other[20] = 3
        let kernel = ScriptedKernel([[refused], [other + Captured.neighbourStale, Captured.done]])
        let found = try kernel.connection.neighbour(peer, on: 2)
        #expect(found?.interfaceIndex == 2)
        #expect(typeAndFlags(kernel.requests[1]) == (30, UInt16(NLM_F_REQUEST | NLM_F_DUMP)))
        #expect(kernel.requests[1][16] == 2)
    }

    @Test func `An entry that the whole table lacks is nil`() throws {
        let refused = message(
            type: NLMSG_ERROR, sequence: 7, payload: native(Int32(-EOPNOTSUPP)) + Captured.ack.prefix(16))
        let kernel = ScriptedKernel([[refused], [Captured.done]])
        #expect(try kernel.connection.neighbour(peer, on: 2) == nil)
    }

    @Test func `Deleting returns whether there was an entry`() throws {
        let kernel = ScriptedKernel([[Captured.ack], [Captured.noNeighbour]])
        let connection = kernel.connection
        #expect(try connection.deleteNeighbour(peer, on: 2))
        #expect(try !connection.deleteNeighbour(peer, on: 2))
        #expect(typeAndFlags(kernel.requests[0]).type == 29)
    }

    @Test func `Deleting without the capability is an error with a remedy`() throws {
        let refused = message(type: NLMSG_ERROR, sequence: 7, payload: native(Int32(-EPERM)) + Captured.ack.prefix(16))
        let error = #expect(throws: NetlinkError.self) {
            try ScriptedKernel([[refused]]).connection.deleteNeighbour(peer, on: 2)
        }
        #expect(error?.description.contains("CAP_NET_ADMIN") == true)
    }

    @Test func `Addresses of other interfaces are skipped`() throws {
        var other = Captured.addresses
        other[20] = 3
        let kernel = ScriptedKernel([[other, Captured.done]])
        #expect(try kernel.connection.addresses(on: 2).map(\.address.isIPv4) == [false, false])
    }

    @Test func `An IPv4 route through an interface is looked up in the forwarding table first`() throws {
        let kernel = ScriptedKernel([[Captured.noRouteOnInterface]])
        let error = #expect(throws: NetlinkError.self) {
            try kernel.connection.route(to: .v4(0x0808_0808), through: 2)
        }
        #expect(error?.code == EHOSTUNREACH)
        #expect(
            kernel.requests == [
                bytes(
                    """
                    2c000000 1a00 0500 01000000 92100000 02200000 00000000 00200000
                    0800 0100 08080808 0800 0400 02000000
                    """)
            ])
    }

    @Test func `An acknowledgement without a route is an error`() throws {
        let error = #expect(throws: NetlinkError.self) {
            try ScriptedKernel([[Captured.ack]]).connection.route(to: peer)
        }
        #expect(error?.cause == .empty)
    }
}
