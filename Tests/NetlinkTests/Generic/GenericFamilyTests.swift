import CLinux
import Glibc
import Testing

@testable import Netlink

@Suite struct GenericFamilyTests {
    /// CTRL_CMD_NEWFAMILY of Linux 6.18: "ethtool" is 0x16, version 1, with group "monitor" (5). Its operations are
    /// omitted.
    static let ethtool = bytes(
        """
        54000000 1000 0000 07000000 92100000 01 02 0000
        0c000200 657468746f6f6c00 06000100 16000000 08000300 01000000 08000400 00000000
        1c000700 18000100 08000200 05000000 0c000100 6d6f6e69746f7200
        """)

    private func ask(_ answer: [[UInt8]], _ name: String = "ethtool") throws(NetlinkError) -> (GenericFamily, [UInt8]) {
        let kernel = ScriptedKernel([answer])
        return (try kernel.connection.genericFamily(name), kernel.requests[0])
    }

    @Test func `A family has an identifier, a version and groups`() throws {
        let (family, request) = try ask([Self.ethtool, Captured.ack])
        #expect(family == GenericFamily(name: "ethtool", identifier: 0x16, version: 1, groups: ["monitor": 5]))
        #expect(request == bytes("20000000 1000 0500 01000000 92100000 03020000 0c000200 657468746f6f6c00"))
    }

    @Test func `A family that the kernel lacks is ENOENT`() throws {
        let error = #expect(throws: NetlinkError.self) {
            try ask([message(type: NLMSG_ERROR, sequence: 7, payload: native(-ENOENT) + Captured.ack.prefix(16))])
        }
        #expect(error?.code == ENOENT)
    }

    @Test func `An answer about another family is an error`() throws {
        let error = #expect(throws: NetlinkError.self) { try ask([Self.ethtool, Captured.ack], "psample") }
        #expect(error?.cause == .empty)
    }

    @Test func `A family without an identifier is rejected`() throws {
        var answer = Self.ethtool
        answer[34] = 0x3F  // another type for CTRL_ATTR_FAMILY_ID
        let error = #expect(throws: NetlinkError.self) { try ask([answer, Captured.ack]) }
        #expect(error?.cause == .malformed(.missingAttribute(type: UInt16(CTRL_ATTR_FAMILY_ID))))
    }

    @Test func `Messages with one changed byte are decoded or rejected`() throws {
        var refused = 0
        for place in 16..<Self.ethtool.count {
            for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                var changed = Self.ethtool
                changed[place] = value
                if (try? decodeAll(changed) { message throws(NetlinkFormatError) in try GenericFamily(message) }) == nil
                {
                    refused += 1
                }
            }
        }
        #expect(refused > 20 && refused < 4 * (Self.ethtool.count - 16))
    }

    @Test func `A message of a family carries command and version`() throws {
        let family = GenericFamily(name: "example", identifier: 0x20, version: 3, groups: [:])
        #expect(
            try MessageWriter(family, command: 7).finished() == bytes("14000000 2000 0000 00000000 00000000 07030000"))
    }
}
