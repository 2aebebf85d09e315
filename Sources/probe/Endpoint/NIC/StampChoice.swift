import FastAFPacket
import LinuxKernel

/// The timestamps that a session requests, and those that delays are computed from: `--stamps`.
enum StampChoice: String, CaseIterable, Sendable {
    /// All that the interface offers. Delays use kernel timestamps, which every packet has.
    case auto
    /// Only kernel timestamps. The NIC's configuration is not changed.
    case software
    /// All. Delays use only hardware timestamps, as do T2 and follow-ups on the wire.
    case hardware

    /// True if delays are computed from hardware timestamps only.
    var usesHardwareOnly: Bool { self == .hardware }

    /// Adapts the configuration of a connection to this choice.
    func configure(_ configuration: inout PacketConn.Configuration) {
        guard self == .software else { return }
        configuration.transmitStamps = [.sched, .software]
        configuration.switchHardwareOn = false
    }

    /// Rejects `--stamps hardware` on a socket whose NIC cannot provide hardware timestamps.
    func check(_ socket: EndpointSocket, _ nic: NIC) throws(ProbeError) {
        guard usesHardwareOnly else { return }
        let name = socket.setting.interface.name
        switch socket.conn.hardwareStamping {
        case .unavailable:
            throw .noHardwareStamps(
                "\(name) has no hardware timestamps; `probe doctor \(name)` shows what it offers. Use `--stamps auto`.")
        case .refused(let error):
            throw .noHardwareStamps("The hardware timestamps of \(name) cannot be used: \(error)")
        case .borrowed, .switchedOn:
            break
        }
        guard socket.conn.hardwareStamping.stampsTransmit else {
            throw .noHardwareStamps(
                "Another process has set \(name) to timestamp no sent packets. Find and stop it (`probe doctor \(name)` "
                    + "lists candidates), or use `--stamps auto`.")
        }
        switch socket.receiveStamping {
        case .expected: break
        case .none:
            throw .noHardwareStamps("\(name) cannot timestamp received packets. Use `--stamps auto`.")
        case .onlyPTP:
            throw .noHardwareStamps(
                "\(name) timestamps only PTP frames on receipt. Use `--transport l2 --frame ptp` on both hosts, or "
                    + "`--stamps auto`.")
        case .notAsked:
            throw .noHardwareStamps(
                "Another process has set \(name) not to timestamp these frames on receipt. Find and stop it (`probe doctor "
                    + "\(name)` lists candidates), or use `--stamps auto`.")
        }
        if let failure = nic.clockFailure {
            throw .noHardwareStamps("The PHC of \(name) cannot be read against the system clock: \(failure)")
        }
    }
}

/// The hardware timestamps to expect on an endpoint's received packets.
enum ReceiveStamping: Sendable {
    /// The NIC cannot provide them, or they were not requested.
    case none
    case expected
    /// The NIC timestamps only PTP frames, and the endpoint's frames are not PTP.
    case onlyPTP
    /// The NIC supports it, but another process has set its filter otherwise.
    case notAsked

    /// - Parameter isPTP: true if the endpoint's frames are PTP event messages.
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
