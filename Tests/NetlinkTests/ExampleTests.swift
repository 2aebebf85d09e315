import LinuxKernel
import Netlink
import Testing

// The functions of docs/netlink.md, word for word.

/// The generic families that this kernel has.
func familyNames() throws -> [String] {
    let connection = try NetlinkConnection(protocol: 16)  // NETLINK_GENERIC
    let control = try connection.genericFamily("nlctrl")
    // CTRL_CMD_GETFAMILY is 3, CTRL_ATTR_FAMILY_NAME 2; 4 bytes are struct genlmsghdr.
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

/// Waits for a change of a link, an address' or a route's for instance, and gives the messages' types.
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
    @Test func `the kernel's families are listed, nlctrl among them`() throws {
        #expect(try familyNames().contains("nlctrl"))
    }

    @Test func `where nothing changes there is nothing to tell`() throws {
        // A group of links alone, and no time to wait.
        #expect(try nextChange(in: [1], until: ClockID.monotonic.now()).isEmpty)
    }
}
