import ArgumentParser
import FastAFPacket
import LinuxKernel
import Testing

@testable import probe

@Suite struct StampChoiceTests {
    @Test func `software requests kernel timestamps, and does not configure the NIC`() {
        var configuration = PacketConn.Configuration()
        StampChoice.software.configure(&configuration)
        #expect(configuration.transmitStamps == [.sched, .software])
        #expect(!configuration.switchHardwareOn)
    }

    @Test(arguments: [StampChoice.auto, .hardware])
    func `auto and hardware request all timestamps, and configure the NIC`(choice: StampChoice) {
        var configuration = PacketConn.Configuration()
        choice.configure(&configuration)
        #expect(configuration.transmitStamps == .all)
        #expect(configuration.switchHardwareOn)
    }

    @Test func `--stamps accepts the choices, and rejects other values`() throws {
        let command = try RunCommand.parse(["-i", "lo", "--peer", "192.0.2.1", "--stamps", "hardware"])
        #expect(command.common.stamps == .hardware)
        #expect(throws: (any Error).self) {
            try RunCommand.parse(["-i", "lo", "--peer", "192.0.2.1", "--stamps", "card"])
        }
    }

    /// RX_HARDWARE and RAW_HARDWARE, TX on.
    private func capabilities(filters: UInt32) -> TimestampingCapabilities {
        TimestampingCapabilities(flags: 0b100_0101, transmitTypes: 0b11, receiveFilters: filters, clockIndex: 0)
    }

    private static let none: Int32 = 0
    private static let all: Int32 = 1
    /// HWTSTAMP_FILTER_PTP_V2_EVENT.
    private static let ptp: Int32 = 12
    private static let takesAll: UInt32 = 1 << 0 | 1 << 1
    private static let takesPTP: UInt32 = 1 << 0 | 1 << 12

    @Test(arguments: [
        (takesAll, all, false, ReceiveStamping.expected), (takesAll, none, false, .notAsked),
        (takesAll, ptp, false, .notAsked), (takesAll, ptp, true, .expected), (takesPTP, none, false, .onlyPTP),
        (takesPTP, ptp, false, .onlyPTP), (takesPTP, ptp, true, .expected), (takesPTP, none, true, .notAsked),
        (1, none, false, .none),
    ])
    func `The timestamps to expect follow from the NIC's capabilities, its filter and the frames`(
        offered: UInt32, filter: Int32, isPTP: Bool, expected: ReceiveStamping
    ) {
        let stamping = HardwareStamping.borrowed(
            HardwareStampingConfiguration(transmitType: 1, receiveFilter: filter))
        #expect(ReceiveStamping(stamping, capabilities(filters: offered), isPTP: isPTP) == expected)
    }

    @Test func `Without hardware timestamping, or if it was refused, no timestamps are expected`() {
        #expect(ReceiveStamping(.unavailable, capabilities(filters: Self.takesAll), isPTP: false) == .none)
        #expect(ReceiveStamping(.refused(SystemError("x", code: 1)), nil, isPTP: false) == .none)
    }
}
