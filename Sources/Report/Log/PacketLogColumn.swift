/// The columns of the packet log, in the order in which they are written.
enum PacketLogColumn: String, CaseIterable, Sendable {
    case session
    case packet
    case sequence = "seq"
    case replySequence = "reply_seq"
    case direction
    case bytes
    case status
    case transmitApp = "tx_app_ns"
    case transmitSched = "tx_sched_ns"
    case transmitSoftware = "tx_sw_ns"
    case transmitHardware = "tx_hw_ns"
    case receiveHardware = "rx_hw_ns"
    case receiveSoftware = "rx_sw_ns"
    case receiveApp = "rx_app_ns"
    case delay = "delay_ns"
    case delayError = "delay_error_ns"
    case delayClock = "delay_clock"
    case transmitStamp = "tx_stamp"
    case transmitMissing = "tx_missing"
    case receiveStamp = "rx_stamp"
    case receiveMissing = "rx_missing"
    case ttl
    case dscp
    case transmitHardwareRealtime = "tx_hw_realtime_ns"
    case transmitHardwareError = "tx_hw_error_ns"
    case receiveHardwareRealtime = "rx_hw_realtime_ns"
    case receiveHardwareError = "rx_hw_error_ns"
    case clockEpoch = "clock_epoch"
    case sample = "sample_ns"
    case sampleLatency = "sample_latency_ns"
    case sampleOrder = "sample_order"

    /// Without these a row says nothing.
    static let required: [PacketLogColumn] = [.session, .packet, .sequence, .direction, .status]
}
