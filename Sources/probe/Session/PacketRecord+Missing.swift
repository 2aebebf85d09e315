import FastAFPacket
import Report
import STAMPWire

extension PacketRecord {
    /// Enters what is known of the packet's way out.
    mutating func record(_ stamps: TransmitStamps) {
        transmitApp = stamps.app
        transmitSched = stamps.sched
        transmitSoftware = stamps.software
        transmitHardware = stamps.nic.time
        transmitHardwareRealtime = stamps.nic.realtime
        transmitHardwareError = stamps.nic.realtime.map { _ in Int64(stamps.nic.error) }
    }

    /// Enters what is known of the packet's way in, and why the NIC's timestamp, or any, is not there.
    mutating func record(_ stamps: ReceiveStamps) {
        receiveHardware = stamps.nic.time
        receiveHardwareRealtime = stamps.nic.realtime
        receiveHardwareError = stamps.nic.realtime.map { _ in Int64(stamps.nic.error) }
        receiveSoftware = stamps.software
        receiveApp = stamps.app
        receiveMissing = stamps.software == nil ? .notReceived : MissingReason(wireCode: stamps.nic.missing)
    }

    /// Why a better transmit timestamp than the row's best is not there, on the row of a packet that was sent here; `nil`
    /// where the best that the interface offers is.
    ///
    /// - Parameter reason: what the ledger says of the timestamps that did not come.
    func reasonForMissingStamp(
        _ reason: MissingReason?, expecting expected: TransmitStampKinds
    ) -> MissingReason? {
        if expected.contains(.hardware), transmitHardware == nil { return reason }
        if transmitSoftware == nil, transmitHardware == nil {
            return expected.contains(.software) ? reason : .unsupported
        }
        return nil
    }

    /// Where delays are by the NICs alone, a timestamp of the peer's NIC that is not there is why there is none, and a peer that
    /// asks its NIC for none gives no reason.
    mutating func explainMissingPeerStamp() {
        switch direction {
        case .out: if receiveHardware == nil, receiveMissing == nil { receiveMissing = .unsupported }
        case .in: if transmitHardware == nil, transmitMissing == nil { transmitMissing = .unsupported }
        }
    }

    /// The same on the row of a packet that the peer sent, by what it has told.
    ///
    /// - Parameter silence: why nothing was told, where nothing was.
    func reasonForMissingStamp(_ reported: TransmitStamps, else silence: MissingReason) -> MissingReason? {
        transmitSoftware == nil ? silence : MissingReason(wireCode: reported.nic.missing)
    }
}

extension MissingReason {
    /// The reasons in the order of their numbers in docs/stamp-tlv.md, from 1 on.
    private static let onWire: [MissingReason] = [
        .unsupported, .late, .bufferFull, .skippedByDriver, .notAsked, .inFlight, .never, .onlyPTP, .closed,
    ]

    /// - Parameter code: of a NIC timestamp; `nil` for 0, and for a number that a newer program may give.
    init?(wireCode code: UInt8) {
        guard code > 0, Int(code) <= Self.onWire.count else { return nil }
        self = Self.onWire[Int(code) - 1]
    }

    /// The number of a reason why there is no NIC timestamp.
    var wireCode: UInt8 { UInt8((Self.onWire.firstIndex(of: self) ?? -1) + 1) }
}
