import FastAFPacket

/// The names of timestamping flags, types and filters in `ethtool -T`. Source: Linux, net/ethtool/common.c.
enum StampingNames {
    private static let flags = [
        "hardware-transmit", "software-transmit", "hardware-receive", "software-receive", "software-system-clock",
        "hardware-legacy-clock", "hardware-raw-clock", "option-id", "sched-transmit", "ack-transmit", "option-cmsg",
        "option-tsonly", "option-stats", "option-pktinfo", "option-tx-swhw", "bind-phc", "option-id-tcp",
        "option-rx-filter", "completion-transmit",
    ]
    private static let types = ["off", "on", "onestep-sync", "onestep-p2p"]
    private static let filters = [
        "none", "all", "some", "ptpv1-l4-event", "ptpv1-l4-sync", "ptpv1-l4-delay-req", "ptpv2-l4-event",
        "ptpv2-l4-sync", "ptpv2-l4-delay-req", "ptpv2-l2-event", "ptpv2-l2-sync", "ptpv2-l2-delay-req",
        "ptpv2-event", "ptpv2-sync", "ptpv2-delay-req", "ntp-all",
    ]

    static func flags(_ bits: UInt32) -> [String] { names(bits, flags) }
    static func types(_ bits: UInt32) -> [String] { names(bits, types) }
    static func filters(_ bits: UInt32) -> [String] { names(bits, filters) }
    static func type(_ number: Int32) -> String { name(Int(number), types) }
    static func filter(_ number: Int32) -> String { name(Int(number), filters) }

    private static func names(_ bits: UInt32, _ names: [String]) -> [String] {
        (0..<32).filter { bits & (1 << UInt32($0)) != 0 }.map { name($0, names) }
    }

    private static func name(_ number: Int, _ names: [String]) -> String {
        names.indices.contains(number) ? names[number] : "\(number)"
    }
}

extension HardwareStampingConfiguration {
    /// "transmit on, receive ptpv2-event"; "off".
    var text: String {
        if self == .off { return "off" }
        return "transmit \(StampingNames.type(transmitType)), receive \(StampingNames.filter(receiveFilter))"
    }
}
