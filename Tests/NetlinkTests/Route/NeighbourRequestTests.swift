import CLinux
import Glibc
import NetworkAddresses
import Testing

@testable import Netlink

@Suite struct NeighbourRequestTests {
    private let peer = IPAddress.v4(0xC000_0202)

    @Test func `one entry is asked for by address and interface`() throws {
        let kernel = PlayedKernel([[Captured.neighbourStale, Captured.ack]])
        let found = try kernel.connection.neighbour(peer, on: 2)
        #expect(found?.macAddress == MACAddress("02:00:00:00:00:02"))
        #expect(
            kernel.requests == [
                bytes("24000000 1e00 0500 01000000 92100000 02000000 02000000 00000000 0800 0100 c0000202")
            ])
    }

    @Test func `an entry that does not exist is none`() throws {
        let kernel = PlayedKernel([[Captured.noNeighbour]])
        #expect(try kernel.connection.neighbour(peer, on: 2) == nil)
    }

    @Test func `a kernel that refuses to give one entry is asked for all of the family`() throws {
        let refused = message(
            type: NLMSG_ERROR, sequence: 7, payload: native(Int32(-EOPNOTSUPP)) + Captured.ack.prefix(16))
        var other = Captured.neighbourStale
        // The same address on interface 3 comes first.
        other[20] = 3
        let kernel = PlayedKernel([[refused], [other + Captured.neighbourStale, Captured.done]])
        let found = try kernel.connection.neighbour(peer, on: 2)
        #expect(found?.interfaceIndex == 2)
        #expect(typeAndFlags(kernel.requests[1]) == (30, UInt16(NLM_F_REQUEST | NLM_F_DUMP)))
        #expect(kernel.requests[1][16] == 2)
    }

    @Test func `a kernel that refuses to give one entry, and has none`() throws {
        let refused = message(
            type: NLMSG_ERROR, sequence: 7, payload: native(Int32(-EOPNOTSUPP)) + Captured.ack.prefix(16))
        let kernel = PlayedKernel([[refused], [Captured.done]])
        #expect(try kernel.connection.neighbour(peer, on: 2) == nil)
    }

    @Test func `deleting tells whether there was an entry`() throws {
        let kernel = PlayedKernel([[Captured.ack], [Captured.noNeighbour]])
        let connection = kernel.connection
        #expect(try connection.deleteNeighbour(peer, on: 2))
        #expect(try !connection.deleteNeighbour(peer, on: 2))
        #expect(typeAndFlags(kernel.requests[0]).type == 29)
    }

    @Test func `deleting without the capability tells what to do`() throws {
        let refused = message(type: NLMSG_ERROR, sequence: 7, payload: native(Int32(-EPERM)) + Captured.ack.prefix(16))
        let error = #expect(throws: NetlinkError.self) {
            try PlayedKernel([[refused]]).connection.deleteNeighbour(peer, on: 2)
        }
        #expect(error?.description.contains("CAP_NET_ADMIN") == true)
    }

    @Test func `addresses of other interfaces are left out`() throws {
        var other = Captured.addresses
        other[20] = 3
        let kernel = PlayedKernel([[other, Captured.done]])
        #expect(try kernel.connection.addresses(on: 2).map(\.address.isIPv4) == [false, false])
    }

    @Test func `an IPv4 route through an interface is checked up in the forwarding table first`() throws {
        let kernel = PlayedKernel([[Captured.noRouteOnInterface]])
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

    @Test func `an acknowledgement without a route is an error`() throws {
        let error = #expect(throws: NetlinkError.self) { try PlayedKernel([[Captured.ack]]).connection.route(to: peer) }
        #expect(error?.cause == .empty)
    }
}
