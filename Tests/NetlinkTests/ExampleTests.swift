import LinuxKernel
import Netlink
import Testing

// The functions of docs/netlink.md, word for word.

/// Lists the generic families of this kernel.
func familyNames() throws -> [String] {
    let connection = try NetlinkConnection(protocol: 16)  // NETLINK_GENERIC
    let control = try connection.genericFamily("nlctrl")
    // 3 is CTRL_CMD_GETFAMILY, 2 is CTRL_ATTR_FAMILY_NAME; struct genlmsghdr has 4 bytes.
    return try connection.dump("list the families", MessageWriter(control, command: 3)) {
        message throws(NetlinkFormatError) -> String? in
        var name: String?
        var attributes = message.attributes(from: 4)
        while attributes.next() {
            if attributes.type == 2 { name = attributes.string() }
        }
        if let error = attributes.error { throw error }
        return name
    }
}

/// Waits for a change, such as one of a link, address or route, and returns the types of the messages.
func nextChange(in groups: [UInt32], until deadline: Int64) throws -> [UInt16] {
    let connection = try NetlinkConnection()  // NETLINK_ROUTE
    for group in groups { try connection.join(group: group) }
    _ = try connection.setReceiveBuffer(1 << 20)
    var types: [UInt16] = []
    if let datagram = try connection.receive("wait for a change", until: deadline) {
        var messages = datagram.messages
        while let message = messages.next() { types.append(message.type) }
    }
    return types
}

@Suite struct ExampleTests {
    @Test func `The kernel's families are listed and include nlctrl`() throws {
        #expect(try familyNames().contains("nlctrl"))
    }

    @Test func `Without a change there are no messages`() throws {
        // RTNLGRP_LINK, and a deadline that has passed.
        #expect(try nextChange(in: [1], until: ClockID.monotonic.now()).isEmpty)
    }
}
