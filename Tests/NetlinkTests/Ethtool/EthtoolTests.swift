import CLinux
import Glibc
import LinuxKernel
import Testing

@testable import Netlink

@Suite struct EthtoolTests {
    /// ETHTOOL_MSG_TSINFO_GET_REPLY of Linux 6.18 for a veth interface, requested with statistics.
    private static let veth = bytes(
        """
        44000000 1500 0000 07000000 92100000 1a010000
        14000180 08000100 02000000 07000200 76310000
        18000280 04000100 08000200 13000000 08000400 1a000000
        04000680
        """)

    /// A NIC with PHC 3, as net/ethtool/tsinfo.c writes it: counters of 4 and 8 bytes, and a provider.
    private static let nic = message(
        type: 0x15, sequence: 7,
        payload: bytes(
            """
            1a010000
            18000280 04000100 08000200 13000000 08000400 5f000000
            18000380 04000100 08000200 04000000 08000400 03000000
            18000480 04000100 08000200 10000000 08000400 03f00000
            08000500 03000000
            20000680 0c000100 0500000001000000 08000200 02000000 08000300 00000000
            14000780 08000100 03000000 08000200 01000000
            """))

    /// The configuration as net/ethtool/tsconfig.c writes it.
    private static func configuration(command: String) -> [UInt8] {
        message(
            type: 0x15, sequence: 7,
            payload: bytes(
                """
                \(command)010000
                18000380 04000100 08000200 04000000 08000400 02000000
                18000480 04000100 08000200 10000000 08000400 02000000
                14000280 08000100 03000000 08000200 00000000
                """))
    }

    private func refusal(_ code: Int32) -> [UInt8] {
        message(type: NLMSG_ERROR, sequence: 7, payload: native(-code) + Captured.ack.prefix(16))
    }

    /// A connection to a kernel that has the family and then gives these answers. The family's identifier is 0x15, as
    /// in the captured messages.
    private func ethtool(_ answers: [[[UInt8]]]) throws -> (EthtoolConnection, ScriptedKernel) {
        var family = GenericFamilyTests.ethtool
        family[36] = 0x15
        let kernel = ScriptedKernel([[family, Captured.ack]] + answers)
        return (try EthtoolConnection(kernel.connection), kernel)
    }

    @Test func `An interface without a PHC has driver and kernel timestamps and no counters`() throws {
        let (ethtool, kernel) = try ethtool([[Self.veth, Captured.ack]])
        let information = try ethtool.stampingInformation(of: 2)
        #expect(information == StampingInformation(flags: 0x1A))
        #expect(
            kernel.requests[1]
                == bytes(
                    "2800000015000500020000009210000019010000 14000180 08000100 02000000 08000300 05000000"))
    }

    @Test func `A NIC's PHC and counters are reported, and an absent counter is nil`() throws {
        let (ethtool, _) = try ethtool([[Self.nic, Captured.ack]])
        #expect(
            try ethtool.stampingInformation(of: 2)
                == StampingInformation(
                    flags: 0x5F, transmitTypes: 3, receiveFilters: 0xF003, clockIndex: 3,
                    provider: StampProvider(clockIndex: 3, qualifier: 1),
                    statistics: StampStatistics(stamped: 0x1_0000_0005, lost: 2, failed: 0, unconfirmed: nil)))
    }

    @Test func `A kernel without statistics is asked again without them`() throws {
        let (ethtool, kernel) = try ethtool([[refusal(EINVAL)], [Self.veth, Captured.ack]])
        #expect(try ethtool.stampingInformation(of: 2).flags == 0x1A)
        #expect(kernel.requests[2].suffix(4) == bytes("01000000"))
    }

    @Test func `A missing interface is requested once`() throws {
        let (ethtool, kernel) = try ethtool([[refusal(ENODEV)]])
        let error = #expect(throws: NetlinkError.self) { try ethtool.stampingInformation(of: 99) }
        #expect(error?.code == ENODEV)
        #expect(kernel.requests.count == 2)
    }

    @Test func `A verbose bit set is rejected`() throws {
        var answer = Self.veth
        answer[58] = 3  // ETHTOOL_A_BITSET_BITS instead of the value
        let (ethtool, _) = try ethtool([[answer, Captured.ack]])
        let error = #expect(throws: NetlinkError.self) { try ethtool.stampingInformation(of: 2) }
        #expect(error?.cause == .malformed(.attributeSize(type: 2, bytes: 20)))
    }

    @Test func `The configuration is read`() throws {
        let (ethtool, kernel) = try ethtool([[Self.configuration(command: "2f"), Captured.ack]])
        #expect(
            try ethtool.stampingConfiguration(of: 2)
                == StampingConfiguration(transmitType: 2, receiveFilter: 2, provider: StampProvider(clockIndex: 3)))
        #expect(kernel.requests[1][16] == 46)
    }

    @Test func `The configuration is set with complete bit sets, and the applied one is returned`() throws {
        let (ethtool, kernel) = try ethtool([[Self.configuration(command: "30"), Captured.ack]])
        let granted = try ethtool.setStampingConfiguration(
            StampingConfiguration(transmitType: 2, receiveFilter: 1 << 12), of: 2)
        #expect(granted.receiveFilter == 2)
        #expect(
            kernel.requests[1].dropFirst(16)
                == bytes(
                    """
                    2f010000 14000180 08000100 02000000 08000300 01000000
                    18000380 04000100 08000200 20000000 08000400 02000000
                    18000480 04000100 08000200 20000000 08000400 00100000
                    18000580 04000100 08000200 20000000 08000400 00000000
                    """)[...])
    }

    @Test func `Messages with one changed byte are decoded or rejected`() throws {
        var changes = 0
        var refused = 0
        for original in [Self.veth, Self.nic, Self.configuration(command: "2f")] {
            for place in 16..<original.count {
                for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                    var changed = original
                    changed[place] = value
                    let asInformation = try? decodeAll(changed) { message throws(NetlinkFormatError) in
                        try StampingInformation(message)
                    }
                    let asConfiguration = try? decodeAll(changed) { message throws(NetlinkFormatError) in
                        try StampingConfiguration(message)
                    }
                    changes += 1
                    if asInformation == nil || asConfiguration == nil { refused += 1 }
                }
            }
        }
        #expect(refused > 100 && refused < changes)
    }
}

/// This kernel's answers about a veth interface.
@Suite(.enabled(if: LiveNetwork.isPossible, LiveNetwork.comment)) struct LiveEthtoolTests {
    @Test func `Netlink and the ioctl report the same capabilities`() throws {
        let network = try LiveNetwork()
        let ethtool = try EthtoolConnection(namespace: network.name)
        let information = try ethtool.stampingInformation(of: network.interface.index)
        let older = try NetworkNamespace.enter(network.name) { () throws(SystemError) in
            var raw = cl_ts_info()
            try check("read the timestamping capabilities", cl_ts_info("near0", &raw))
            return raw
        }
        #expect(information.flags == older.so_timestamping && information.flags != 0)
        #expect(information.transmitTypes == older.tx_types)
        #expect(information.receiveFilters == older.rx_filters)
        #expect(information.clockIndex == nil && older.phc_index == -1)
        #expect(information.statistics == nil)
    }

    @Test func `An interface without hardware timestamps has no configuration`() throws {
        let network = try LiveNetwork()
        let ethtool = try EthtoolConnection(namespace: network.name)
        let index = network.interface.index
        let read = #expect(throws: NetlinkError.self) { try ethtool.stampingConfiguration(of: index) }
        #expect(read?.code == EOPNOTSUPP)
        let set = #expect(throws: NetlinkError.self) {
            try ethtool.setStampingConfiguration(StampingConfiguration(transmitType: 2, receiveFilter: 1), of: index)
        }
        #expect(set?.code == EOPNOTSUPP)
        let none = #expect(throws: NetlinkError.self) { try ethtool.stampingInformation(of: 9999) }
        #expect(none?.code == ENODEV)
    }
}
