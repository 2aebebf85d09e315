import FastAFPacket
import LinuxKernel

/// Which timestamps a session asks for and measures by: `--stamps`.
enum StampChoice: String, CaseIterable, Sendable {
    /// All that the interface offers. Delays are by the kernel's timestamps, which every packet has.
    case auto
    /// The kernel's alone; the NIC is left as it is.
    case software
    /// All, and delays by the NICs' timestamps alone; T2 and follow-ups on the wire too.
    case hardware

    /// Whether delays are from NIC to NIC, and by nothing else.
    var usesHardwareOnly: Bool { self == .hardware }

    /// The configuration of a connection with these timestamps.
    func configure(_ configuration: inout PacketConn.Configuration) {
        guard self == .software else { return }
        configuration.transmitStamps = [.sched, .software]
        configuration.switchHardwareOn = false
    }

    /// Refuses to measure by NIC timestamps that can't come.
    func check(_ link: Endpoint, _ nic: NIC) throws(ProbeError) {
        guard usesHardwareOnly else { return }
        let name = link.interface.name
        switch link.conn.hardwareStamping {
        case .unavailable:
            throw .noHardwareStamps(
                "\(name) offers no hardware timestamps: `probe doctor \(name)` shows what it has. Use `--stamps auto`.")
        case .refused(let error):
            throw .noHardwareStamps("\(name) has hardware timestamps, but: \(error)")
        case .borrowed, .switchedOn:
            break
        }
        guard link.conn.hardwareStamping.stampsTransmit else {
            throw .noHardwareStamps(
                "Somebody else has set \(name) to timestamp nothing that it sends; `probe doctor \(name)` may tell who. "
                    + "Stop that, or use `--stamps auto`.")
        }
        switch link.receiveStamping {
        case .expected: break
        case .none:
            throw .noHardwareStamps("\(name) timestamps nothing that it receives. Use `--stamps auto`.")
        case .onlyPTP:
            throw .noHardwareStamps(
                "\(name) timestamps PTP frames only when they arrive: use `--transport l2 --frame ptp` on both hosts, or "
                    + "`--stamps auto`.")
        case .notAsked:
            throw .noHardwareStamps(
                "Somebody else has set \(name) to timestamp other frames only; `probe doctor \(name)` may tell who. Stop that, "
                    + "or use `--stamps auto`.")
        }
        if let failure = nic.clockFailure {
            throw .noHardwareStamps("\(name)'s clock can't be read beside the system's: \(failure)")
        }
    }
}

/// Whether the NIC's timestamps of a link's received packets can be expected.
enum ReceiveStamping: Sendable {
    /// The NIC takes none, or they are not wanted.
    case none
    case expected
    /// The NIC's filter lets PTP frames alone have timestamps, and the link's are none.
    case onlyPTP
    /// The NIC could, but whoever has set it has not asked for it.
    case notAsked

    /// - Parameter isPTP: whether the link's frames are PTP event messages.
    init(_ stamping: HardwareStamping, _ capabilities: TimestampingCapabilities?, isPTP: Bool) {
        guard let capabilities, let now = stamping.configuration else {
            self = .none
            return
        }
        if now.stampsAllReceived || isPTP && now.stampsReceivedPTP {
            self = .expected
        } else if capabilities.stampsAllReceived {
            self = .notAsked
        } else if capabilities.stampsReceivedPTP {
            self = isPTP ? .notAsked : .onlyPTP
        } else {
            self = .none
        }
    }
}
