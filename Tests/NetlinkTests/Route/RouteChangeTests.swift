import CLinux
import LinuxKernel
import NetworkAddresses
import Testing

@testable import Netlink

@Suite struct RouteChangeTests {
    private func changes(_ datagram: [UInt8]) throws(NetlinkFormatError) -> [RouteChange] {
        try decodeAll(datagram) { message throws(NetlinkFormatError) in try RouteChange(message) }
    }

    /// A link message with the given attributes.
    private func link(_ type: Int, family: Int = 0, _ attributes: String) -> [UInt8] {
        message(
            type: Int32(type), sequence: 0, portID: 0,
            payload: [UInt8(family)] + bytes("00 0100 03000000 43100100 00000000" + attributes))
    }

    private static let name = "0a00 0300 6e65617230 00 0000"
    private static let attributes = name + "0800 0400 dc050000 0a00 0100 020000000001 0000"

    @Test func `A neighbour that is new, failed or removed is distinguished`() throws {
        var neighbour = Neighbour(
            address: address("192.0.2.2"), interfaceIndex: 3, macAddress: MACAddress("02:00:00:00:00:02"),
            state: .reachable)
        #expect(try changes(CapturedChanges.neighbour) == [.neighbour(neighbour)])
        neighbour.macAddress = nil
        neighbour.state = .failed
        #expect(try changes(CapturedChanges.neighbourFailed) == [.neighbour(neighbour)])
        #expect(try changes(CapturedChanges.neighbourRemoved) == [.neighbourRemoved(neighbour)])
    }

    @Test func `An address that is added or removed is distinguished`() throws {
        guard case .address(let added)? = try changes(CapturedChanges.address).first,
            case .addressRemoved(let removed)? = try changes(CapturedChanges.addressRemoved).first
        else {
            Issue.record("not an address that was added, then removed")
            return
        }
        #expect(added == removed)
        #expect(added.address == address("192.0.2.1") && added.prefixLength == 24 && added.interfaceIndex == 3)
    }

    @Test func `A link has name, state, MTU and MAC address, also when it is deleted`() throws {
        for type in [RTM_NEWLINK, RTM_DELLINK] {
            let found = try changes(link(Int(type), Self.attributes))
            guard
                case .some(.link(let value)) = found.first.map({ change -> RouteChange in
                    if case .linkRemoved(let link) = change, type == RTM_DELLINK { .link(link) } else { change }
                })
            else {
                Issue.record("\(found)")
                continue
            }
            #expect(value.index == 3 && value.name == "near0" && value.isUp && value.hasCarrier)
            #expect(value.mtu == 1500 && value.macAddress == MACAddress("02:00:00:00:00:01"))
        }
    }

    @Test func `Routes, rules and next-hop objects are changes of routes`() throws {
        for datagram in [
            CapturedChanges.route, CapturedChanges.routeRemoved, CapturedChanges.rule, CapturedChanges.nextHop,
        ] {
            #expect(try changes(datagram) == [.routes])
        }
        for type: UInt16 in [33, 105, 116, 117] {
            var raw = CapturedChanges.rule
            raw.replaceSubrange(4..<6, with: native(type))
            #expect(try changes(raw) == [.routes], "type \(type)")
        }
    }

    @Test func `A bridge's messages about its ports are not changes of the port`() throws {
        #expect(try changes(CapturedChanges.bridgeEntry).isEmpty)
        #expect(try changes(CapturedChanges.bridgePortRemoved).isEmpty)
    }

    @Test func `A wireless driver's event is not a change of the link`() throws {
        #expect(try changes(link(16, "0600 0b00 0000 0000")).isEmpty)
        #expect(throws: NetlinkFormatError.missingAttribute(type: 3)) { try changes(link(16, "")) }
    }

    @Test func `Other messages are no changes`() throws {
        for datagram in [Captured.ack, Captured.done] { #expect(try changes(datagram).isEmpty) }
    }
}

/// Notifications that are truncated or have changed bytes. A notification that can't be decoded may have been any change.
@Suite struct HostileChangesTests {
    private func received(_ datagrams: [[UInt8]]) throws -> [RouteChange] {
        let changes = RouteChanges(NetlinkConnection(portID: 1, notifications: datagrams) { _ in [] })
        var found: [RouteChange] = []
        while try changes.receive(until: 0, { found.append($0) }) {}
        return found
    }

    @Test func `Changes of several datagrams arrive in order`() throws {
        let found = try received(
            [CapturedChanges.neighbour + CapturedChanges.route, CapturedChanges.bridgeEntry, CapturedChanges.rule])
        #expect(found.count == 3)
        guard case .neighbour = found.first else {
            Issue.record("\(found)")
            return
        }
        #expect(found.dropFirst() == [.routes, .routes])
    }

    @Test func `One call reads a bounded number of datagrams`() throws {
        let datagrams = Array(repeating: CapturedChanges.route, count: RouteChanges.batch + 1)
        let changes = RouteChanges(NetlinkConnection(portID: 1, notifications: datagrams) { _ in [] })
        var count = 0
        #expect(try changes.receive(until: 0) { _ in count += 1 })
        #expect(count == RouteChanges.batch)
        #expect(try changes.receive(until: 0) { _ in count += 1 })
        #expect(count == RouteChanges.batch + 1)
        #expect(try !changes.receive(until: 0) { _ in count += 1 })
    }

    @Test(arguments: CapturedChanges.all) func `A truncated datagram may have been any change`(
        datagram: [UInt8]
    ) throws {
        for count in 1..<datagram.count {
            let found = try received([Array(datagram.prefix(count)), CapturedChanges.rule])
            #expect(found == [.everything, .routes], "truncated to \(count) bytes")
        }
    }

    @Test func `A message that ends within an attribute may have been any change`() throws {
        // Within the address of the neighbour.
        let cut = native(UInt32(34)) + CapturedChanges.neighbour[4..<34]
        #expect(try received([cut]) == [.everything])
    }

    @Test func `A datagram longer than the buffer may have been any change`() throws {
        let long = Array(repeating: UInt8(0), count: NetlinkConnection.bufferLength + 1)
        #expect(try received([long, CapturedChanges.rule]) == [.everything, .routes])
    }

    @Test(arguments: CapturedChanges.all) func `A changed byte makes another change, none, or any`(
        datagram: [UInt8]
    ) throws {
        for place in datagram.indices {
            for mask: UInt8 in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF] {
                var changed = datagram
                changed[place] ^= mask
                let found = try received([changed, CapturedChanges.rule])
                // A shorter message leaves a rest, which is malformed or another message.
                #expect(found.count <= 3 && found.last == .routes, "byte \(place) changed by \(mask)")
            }
        }
    }
}
