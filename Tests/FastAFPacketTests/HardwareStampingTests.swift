import Glibc
import LinuxKernel
import Testing

@testable import FastAFPacket

struct HardwareStampingTests {
    private typealias Configuration = HardwareStampingConfiguration
    private let able = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: 0b11, clockIndex: 0)
    private let allOn = HardwareStampingConfiguration(transmitType: 1, receiveFilter: 1)

    /// A lease without state to share.
    private func acquire(
        _ capabilities: TimestampingCapabilities, _ nic: SimulatedNIC, stampsPTP: Bool = false
    ) -> StampingLease {
        StampingLease.acquire(
            capabilities, device: nic.device, place: .failure(SystemError("create /run/probe", code: EACCES)),
            stampsPTP: stampsPTP)
    }

    @Test("Timestamping that is off is switched on in both directions, and restored")
    func switchedOn() {
        let simulated = SimulatedNIC()
        let lease = acquire(able, simulated)
        #expect(lease.stamping == .switchedOn(allOn, previous: .off) && lease.stamping.stampsTransmit)
        #expect(simulated.now == allOn)
        lease.release(to: simulated.device)
        #expect(simulated.now == .off && simulated.written == [allOn, .off])
    }

    @Test(
        "A configuration set by another process is used and left unchanged",
        arguments: [(1, 12), (1, 0), (0, 1)] as [(Int32, Int32)])
    func borrowed(transmit: Int32, filter: Int32) {
        let current = Configuration(transmitType: transmit, receiveFilter: filter)
        let simulated = SimulatedNIC(current)
        let lease = acquire(able, simulated)
        #expect(lease.stamping == .borrowed(current) && lease.stamping.stampsTransmit == (transmit == 1))
        lease.release(to: simulated.device)
        #expect(simulated.written.isEmpty && simulated.now == current)
    }

    @Test("A configuration changed by another process meanwhile is not restored")
    func changed() {
        let simulated = SimulatedNIC()
        let lease = acquire(able, simulated)
        simulated.now = Configuration(transmitType: 1, receiveFilter: 12)
        lease.release(to: simulated.device)
        #expect(simulated.now == Configuration(transmitType: 1, receiveFilter: 12) && simulated.written == [allOn])
    }

    @Test("A driver that widens the filter reports the granted filter, and the previous one is restored")
    func widened() {
        let simulated = SimulatedNIC()
        simulated.widens = 14
        let lease = acquire(able, simulated)
        #expect(lease.stamping == .switchedOn(Configuration(transmitType: 1, receiveFilter: 14), previous: .off))
        lease.release(to: simulated.device)
        #expect(simulated.now == .off)
    }

    @Test("Without the privilege switching on is refused with a remedy, and nothing is restored")
    func refused() {
        let simulated = SimulatedNIC()
        simulated.writeError = SystemError(
            "switch the NIC's timestamping on", code: EPERM, remedy: "It needs CAP_NET_ADMIN")
        let lease = acquire(able, simulated)
        guard case .refused(let error) = lease.stamping else {
            Issue.record("\(lease)")
            return
        }
        #expect(
            error.code == EPERM && error.remedy?.contains("CAP_NET_ADMIN") == true && !lease.stamping.stampsTransmit)
        lease.release(to: simulated.device)
        #expect(simulated.written.count == 1)
    }

    @Test("A driver whose configuration cannot be read is left unchanged, because it could not be restored")
    func cannotRead() {
        let simulated = SimulatedNIC()
        simulated.readError = SystemError("read the NIC's timestamping configuration", code: EOPNOTSUPP)
        #expect(
            acquire(able, simulated).stamping
                == .refused(simulated.readError ?? SystemError("", code: 0)))
        #expect(simulated.written.isEmpty)
    }

    @Test("A NIC whose configuration cannot be read on close is not written to")
    func cannotReadLater() {
        let simulated = SimulatedNIC()
        let lease = acquire(able, simulated)
        simulated.readError = SystemError("read the NIC's timestamping configuration", code: ENODEV)
        lease.release(to: simulated.device)
        #expect(simulated.written == [allOn])
    }

    @Test("A NIC without hardware timestamps is not written to")
    func unavailable() {
        let simulated = SimulatedNIC()
        let veth = TimestampingCapabilities(flags: 0x1A)
        #expect(acquire(veth, simulated).stamping == .unavailable)
        #expect(simulated.written.isEmpty)
    }

    @Test(
        "A NIC that cannot timestamp every received frame uses its widest PTP filter if requested",
        arguments: [
            (1 << 12 | 1 << 9 | 1, 12), (1 << 9 | 1 << 13, 9), (1 << 10 | 1 << 13, 13), (1 << 10, 10), (1 << 3 | 1, 0),
            (0xFFFF, 1),
        ] as [(UInt32, Int32)])
    func filtersOfPTP(filters: UInt32, expected: Int32) {
        let capabilities = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: filters)
        let simulated = SimulatedNIC()
        let lease = acquire(capabilities, simulated, stampsPTP: true)
        #expect(simulated.written == [Configuration(transmitType: 1, receiveFilter: expected)])
        lease.release(to: simulated.device)
        #expect(simulated.now == .off)
        #expect(capabilities.stampsReceivedPTP == (expected != 0))
        #expect(capabilities.stampsAllReceived == (expected == 1))
        var deaf = capabilities
        deaf.flags = 0b001
        #expect(!deaf.stampsReceivedPTP && !deaf.stampsAllReceived)
    }

    @Test("Only what the NIC supports is requested")
    func partly() {
        // Receive filters for PTP only: 1 << HWTSTAMP_FILTER_PTP_V2_EVENT (12).
        let transmitOnly = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: 1 << 12 | 1)
        var simulated = SimulatedNIC()
        _ = acquire(transmitOnly, simulated)
        #expect(simulated.written == [Configuration(transmitType: 1, receiveFilter: 0)])
        let receiveOnly = TimestampingCapabilities(flags: 0b100, transmitTypes: 0b1, receiveFilters: 0b11)
        simulated = SimulatedNIC()
        let lease = acquire(receiveOnly, simulated)
        #expect(
            simulated.written == [Configuration(transmitType: 0, receiveFilter: 1)] && !lease.stamping.stampsTransmit)
        let neither = TimestampingCapabilities(flags: 0b100, transmitTypes: 0b1, receiveFilters: 1 << 12)
        simulated = SimulatedNIC()
        #expect(
            acquire(neither, simulated).stamping == .unavailable && simulated.written.isEmpty)
    }
}

/// The NIC of a real interface.
@Suite(.needsRoot, .vethPair)
struct NICTests {
    @Test("The NIC is queried in its socket's namespace, from any thread, whatever its current name")
    func namespace() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.left)
        let socket = try pair.enter(.left) { () throws(SystemError) in
            try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        }
        let device = HardwareStamping.Device(interface.index, socket: socket)
        let code = {
            if case .failure(let error) = device.read() { error.code } else { Int32(0) }
        }
        // A veth has no hardware timestamps; another namespace would not have the interface.
        #expect(code() == EOPNOTSUPP)
        try pair.ip(.left, "link set \(VethPair.interfaceName) down")
        try pair.ip(.left, "link set \(VethPair.interfaceName) name renamed0")
        #expect(code() == EOPNOTSUPP)
        try pair.ip(.left, "link del renamed0")
        #expect(code() == ENODEV)
    }

    @Test(
        "The NIC's configuration says which received frames get timestamps",
        arguments: [
            (0, false, false), (1, true, true), (12, false, true), (6, false, false), (9, false, true),
        ] as [(Int32, Bool, Bool)])
    func receivedFrames(filter: Int32, all: Bool, ptp: Bool) {
        let configuration = HardwareStampingConfiguration(transmitType: 0, receiveFilter: filter)
        #expect(configuration.stampsAllReceived == all)
        #expect(configuration.stampsReceivedPTP == ptp)
        #expect(HardwareStamping.borrowed(configuration).configuration == configuration)
        #expect(!HardwareStamping.borrowed(configuration).stampsTransmit)
        #expect(HardwareStamping.unavailable.configuration == nil)
    }
}
