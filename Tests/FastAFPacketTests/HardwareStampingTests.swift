import Glibc
import LinuxKernel
import Testing

@testable import FastAFPacket

struct HardwareStampingTests {
    /// A NIC, with what was written to it.
    final class PlayedCard {
        var now: HardwareStampingConfiguration
        var written: [HardwareStampingConfiguration] = []
        /// The filter that the driver makes of each filter asked for.
        var widens: Int32?
        var readError: SystemError?
        var writeError: SystemError?

        init(_ now: HardwareStampingConfiguration = .off) { self.now = now }

        var device: HardwareStamping.Device {
            HardwareStamping.Device(
                read: { [self] in readError.map { .failure($0) } ?? .success(now) },
                write: { [self] wanted in
                    written.append(wanted)
                    if let writeError { return .failure(writeError) }
                    now = wanted
                    if let widens, wanted.receiveFilter != 0 { now.receiveFilter = widens }
                    return .success(now)
                })
        }
    }

    private typealias Configuration = HardwareStampingConfiguration
    private let able = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: 0b11, clockIndex: 0)
    private let allOn = HardwareStampingConfiguration(transmitType: 1, receiveFilter: 1)

    @Test("A NIC that is off is switched on, both ways, and given back")
    func switchedOn() {
        let played = PlayedCard()
        let lease = HardwareStamping.acquire(able, device: played.device)
        #expect(lease == .switchedOn(allOn, previous: .off) && lease.stampsTransmit)
        #expect(played.now == allOn)
        lease.restore(to: played.device)
        #expect(played.now == .off && played.written == [allOn, .off])
    }

    @Test(
        "What somebody else has set is used as it is, and left as it is",
        arguments: [(1, 12), (1, 0), (0, 1)] as [(Int32, Int32)])
    func borrowed(transmit: Int32, filter: Int32) {
        let current = Configuration(transmitType: transmit, receiveFilter: filter)
        let played = PlayedCard(current)
        let lease = HardwareStamping.acquire(able, device: played.device)
        #expect(lease == .borrowed(current) && lease.stampsTransmit == (transmit == 1))
        lease.restore(to: played.device)
        #expect(played.written.isEmpty && played.now == current)
    }

    @Test("What somebody has changed meanwhile is not given back")
    func changed() {
        let played = PlayedCard()
        let lease = HardwareStamping.acquire(able, device: played.device)
        played.now = Configuration(transmitType: 1, receiveFilter: 12)
        lease.restore(to: played.device)
        #expect(played.now == Configuration(transmitType: 1, receiveFilter: 12) && played.written == [allOn])
    }

    @Test("A driver that widens the filter is taken at its word, and still given back")
    func widened() {
        let played = PlayedCard()
        played.widens = 14
        let lease = HardwareStamping.acquire(able, device: played.device)
        #expect(lease == .switchedOn(Configuration(transmitType: 1, receiveFilter: 14), previous: .off))
        lease.restore(to: played.device)
        #expect(played.now == .off)
    }

    @Test("Without the privilege it is refused, with the remedy, and nothing is given back")
    func refused() {
        let played = PlayedCard()
        played.writeError = SystemError(
            "switch the NIC's timestamping on", code: EPERM, remedy: "It needs CAP_NET_ADMIN")
        let lease = HardwareStamping.acquire(able, device: played.device)
        guard case .refused(let error) = lease else {
            Issue.record("\(lease)")
            return
        }
        #expect(error.code == EPERM && error.remedy?.contains("CAP_NET_ADMIN") == true && !lease.stampsTransmit)
        lease.restore(to: played.device)
        #expect(played.written.count == 1)
    }

    @Test("A driver that can't be asked is left alone: what it had could not be given back")
    func cannotRead() {
        let played = PlayedCard()
        played.readError = SystemError("read the NIC's timestamping configuration", code: EOPNOTSUPP)
        #expect(
            HardwareStamping.acquire(able, device: played.device)
                == .refused(played.readError ?? SystemError("", code: 0)))
        #expect(played.written.isEmpty)
    }

    @Test("A NIC that can no longer be read on close is not written to")
    func cannotReadLater() {
        let played = PlayedCard()
        let lease = HardwareStamping.acquire(able, device: played.device)
        played.readError = SystemError("read the NIC's timestamping configuration", code: ENODEV)
        lease.restore(to: played.device)
        #expect(played.written == [allOn])
    }

    @Test("A NIC without hardware timestamps is not touched")
    func unavailable() {
        let played = PlayedCard()
        let veth = TimestampingCapabilities(flags: 0x1A)
        #expect(HardwareStamping.acquire(veth, device: played.device) == .unavailable)
        #expect(played.written.isEmpty)
    }

    @Test(
        "A NIC that can't timestamp every frame on receipt is told to timestamp PTP frames where that is wanted, by its widest filter",
        arguments: [
            (1 << 12 | 1 << 9 | 1, 12), (1 << 9 | 1 << 13, 9), (1 << 10 | 1 << 13, 13), (1 << 10, 10), (1 << 3 | 1, 0),
            (0xFFFF, 1),
        ] as [(UInt32, Int32)])
    func filtersOfPTP(filters: UInt32, expected: Int32) {
        let capabilities = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: filters)
        let played = PlayedCard()
        let lease = HardwareStamping.acquire(capabilities, device: played.device, stampsPTP: true)
        #expect(played.written == [Configuration(transmitType: 1, receiveFilter: expected)])
        lease.restore(to: played.device)
        #expect(played.now == .off)
        #expect(capabilities.stampsReceivedPTP == (expected != 0))
        #expect(capabilities.stampsAllReceived == (expected == 1))
        var deaf = capabilities
        deaf.flags = 0b001
        #expect(!deaf.stampsReceivedPTP && !deaf.stampsAllReceived)
    }

    @Test("Only what the NIC can do is asked for")
    func partly() {
        // Receive filters for PTP alone: 1 << HWTSTAMP_FILTER_PTP_V2_EVENT (12).
        let transmitOnly = TimestampingCapabilities(flags: 0b101, transmitTypes: 0b11, receiveFilters: 1 << 12 | 1)
        var played = PlayedCard()
        _ = HardwareStamping.acquire(transmitOnly, device: played.device)
        #expect(played.written == [Configuration(transmitType: 1, receiveFilter: 0)])
        let receiveOnly = TimestampingCapabilities(flags: 0b100, transmitTypes: 0b1, receiveFilters: 0b11)
        played = PlayedCard()
        let lease = HardwareStamping.acquire(receiveOnly, device: played.device)
        #expect(played.written == [Configuration(transmitType: 0, receiveFilter: 1)] && !lease.stampsTransmit)
        let neither = TimestampingCapabilities(flags: 0b100, transmitTypes: 0b1, receiveFilters: 1 << 12)
        played = PlayedCard()
        #expect(HardwareStamping.acquire(neither, device: played.device) == .unavailable && played.written.isEmpty)
    }
}

/// The NIC behind a real interface.
@Suite(.needsRoot, .vethPair)
struct CardTests {
    @Test("The NIC is asked in its socket's namespace, from any thread, and by whatever name it has by then")
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
        // veth has none: another namespace would not have the interface.
        #expect(code() == EOPNOTSUPP)
        try pair.ip(.left, "link set \(VethPair.interfaceName) down")
        try pair.ip(.left, "link set \(VethPair.interfaceName) name renamed0")
        #expect(code() == EOPNOTSUPP)
        try pair.ip(.left, "link del renamed0")
        #expect(code() == ENODEV)
    }

    @Test(
        "What is set on the NIC tells which received frames get timestamps",
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
