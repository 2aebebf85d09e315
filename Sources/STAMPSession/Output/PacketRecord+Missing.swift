import Report
import STAMPWire

extension PacketRecord {
    /// Sets the transmit timestamps.
    mutating func record(_ stamps: TransmitTimes) {
        transmitApp = stamps.app
        transmitSched = stamps.sched
        transmitSoftware = stamps.software
        transmitHardware = stamps.nic.time
        transmitHardwareRealtime = stamps.nic.realtime
        transmitHardwareError = stamps.nic.realtime.map { _ in Int64(stamps.nic.error) }
    }

    /// Sets the receive timestamps, and the reason if the NIC's timestamp, or every timestamp, is missing.
    mutating func record(_ stamps: ReceiveTimes) {
        receiveHardware = stamps.nic.time
        receiveHardwareRealtime = stamps.nic.realtime
        receiveHardwareError = stamps.nic.realtime.map { _ in Int64(stamps.nic.error) }
        receiveSoftware = stamps.software
        receiveApp = stamps.app
        receiveMissing = stamps.software == nil ? .notReceived : MissingReason(wireCode: stamps.nic.missing)
    }

    /// The reason why a packet sent by this host lacks a better transmit timestamp than it has; nil if it has the best
    /// one that the interface offers.
    ///
    /// - Parameter reason: the ledger's reason for timestamps that did not arrive.
    func reasonForMissingStamp(
        _ reason: MissingReason?, expecting expected: StampKinds
    ) -> MissingReason? {
        if expected.contains(.hardware), transmitHardware == nil { return reason }
        if transmitSoftware == nil, transmitHardware == nil {
            return expected.contains(.software) ? reason : .unsupported
        }
        return nil
    }

    /// Sets the reason `unsupported` if the peer's hardware timestamp is missing and the peer gives no reason: it does
    /// not request hardware timestamps. With `--stamps hardware` that is why the row has no delay.
    mutating func explainMissingPeerStamp() {
        switch direction {
        case .out: if receiveHardware == nil, receiveMissing == nil { receiveMissing = .unsupported }
        case .in: if transmitHardware == nil, transmitMissing == nil { transmitMissing = .unsupported }
        }
    }

    /// The reason why a packet sent by the peer lacks a better transmit timestamp, as the peer reports it.
    ///
    /// - Parameter silence: the reason if the peer reported nothing.
    func reasonForMissingStamp(_ reported: TransmitTimes, else silence: MissingReason) -> MissingReason? {
        transmitSoftware == nil ? silence : MissingReason(wireCode: reported.nic.missing)
    }
}

extension MissingReason {
    /// The reasons in the order of their codes in docs/stamp-tlv.md, from 1.
    private static let onWire: [MissingReason] = [
        .unsupported, .late, .bufferFull, .skippedByDriver, .notAsked, .inFlight, .never, .onlyPTP, .closed,
    ]

    /// Creates the reason of a code for a missing NIC timestamp; nil for 0 and for codes that a newer version may send.
    public init?(wireCode code: UInt8) {
        guard code > 0, Int(code) <= Self.onWire.count else { return nil }
        self = Self.onWire[Int(code) - 1]
    }

    /// The code of the reason for a missing NIC timestamp; 0 if it has no code.
    public var wireCode: UInt8 { UInt8((Self.onWire.firstIndex(of: self) ?? -1) + 1) }
}
