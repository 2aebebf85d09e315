import CLinux
import Glibc
import LinuxKernel

extension StampingState {
    /// The place of a NIC's state.
    struct Place: Hashable, Sendable {
        var directory = "/run/probe"
        /// The network namespace's cookie, which no other namespace ever has until the next boot. Source:
        /// SO_NETNS_COOKIE in socket(7), Linux 5.14.
        var namespace: UInt64
        /// The index of the NIC's interface. The kernel gives a new interface a new one.
        var index: Int32

        var name: String { "nic-\(namespace)-\(index)" }
        var path: String { "\(directory)/\(name)" }
    }

    /// The configuration that the users have set. It was off before the first one, so that is not recorded.
    struct Record: Hashable, Sendable {
        /// The configuration that the driver granted; before it answers, the one that it had.
        var granted: HardwareStampingConfiguration
        /// The configuration that was requested from the driver.
        var requested: HardwareStampingConfiguration

        /// Returns whether the users have set this configuration.
        func matches(_ now: HardwareStampingConfiguration) -> Bool { now == granted || now == requested }
    }
}

extension StampingState.Place {
    /// The place for an interface. VLANs have that of their NIC, since they share its configuration.
    ///
    /// - Parameter socket: a socket in the interface's network namespace, which is also that of the calling thread.
    init(of interface: Interface, socket: borrowing Descriptor) throws(SystemError) {
        namespace = try socket.option(
            "identify the network namespace", level: SOL_SOCKET, name: CL_SO_NETNS_COOKIE, initial: UInt64(0))
        index = interface.index
        // Asking would load the module that has this file.
        guard OutputFile.exists("/proc/thread-self/net/vlan/config") else { return }
        // VLANs can be on VLANs: as many as the kernel nests devices.
        for _ in 0..<8 {
            let parent = cl_vlan_parent(socket.rawValue, index)
            guard parent > 0, parent != index else { return }
            index = parent
        }
    }
}

extension StampingState.Record {
    static let byteCount = 108

    /// Parses a record.
    ///
    /// - Parameter anyBoot: false to reject a record from before this boot.
    /// - Returns: `nil` if the text is not exactly one that ``text(at:boot:)`` returns for `place`.
    init?(_ text: String, of place: StampingState.Place, anyBoot: Bool) {
        let numbers = text.split(separator: " ").dropFirst(3).prefix(5).map { UInt64($0, radix: 16) }
        guard numbers.count == 5, let boot = numbers[0], let granted = Self.configuration(numbers[1], numbers[2]),
            let requested = Self.configuration(numbers[3], numbers[4])
        else { return nil }
        self.init(granted: granted, requested: requested)
        guard self.text(at: place, boot: boot) == text, anyBoot || boot == Host.bootHash() else { return nil }
    }

    /// The configuration of these numbers; `nil` if they are none of the kernel's. Source: linux/net_tstamp.h.
    private static func configuration(_ type: UInt64?, _ filter: UInt64?) -> HardwareStampingConfiguration? {
        guard let type, let filter, type <= HWTSTAMP_TX_ONESTEP_P2P.rawValue, filter <= HWTSTAMP_FILTER_NTP_ALL.rawValue
        else { return nil }
        return HardwareStampingConfiguration(transmitType: Int32(type), receiveFilter: Int32(filter))
    }

    /// The record in one line of ``byteCount`` bytes: "probe-nic-1", then hexadecimal numbers: namespace, interface
    /// and boot, type and filter as granted, type and filter as requested, and a checksum.
    func text(at place: StampingState.Place, boot: UInt64 = Host.bootHash()) -> String {
        func hex(_ number: some UnsignedInteger, _ digits: Int) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let text =
            ["probe-nic-1", hex(place.namespace, 16), hex(UInt32(bitPattern: place.index), 8), hex(boot, 16)].joined(
                separator: " ")
            + [granted.transmitType, granted.receiveFilter, requested.transmitType, requested.receiveFilter]
            .map { " " + hex(UInt32(bitPattern: $0), 8) }.joined()
        // FNV-1a.
        let checksum = text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return text + " " + hex(checksum, 16) + "\n"
    }
}
