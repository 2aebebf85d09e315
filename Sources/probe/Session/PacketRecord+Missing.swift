import FastAFPacket
import Report
import STAMPWire

extension PacketRecord {
    /// Enters what is known of the packet's way out.
    mutating func enter(_ stamps: TransmitStamps) {
        transmitApp = stamps.app
        transmitSched = stamps.sched
        transmitSoftware = stamps.software
        transmitHardware = stamps.card.time
        transmitHardwareRealtime = stamps.card.realtime
        transmitHardwareError = stamps.card.realtime.map { _ in Int64(stamps.card.error) }
    }

    /// Enters what is known of the packet's way in, and why the card's stamp, or any, is not there.
    mutating func enter(_ stamps: ReceiveStamps) {
        receiveHardware = stamps.card.time
        receiveHardwareRealtime = stamps.card.realtime
        receiveHardwareError = stamps.card.realtime.map { _ in Int64(stamps.card.error) }
        receiveSoftware = stamps.software
        receiveApp = stamps.app
        receiveMissing = stamps.software == nil ? .notReceived : MissingReason(wireCode: stamps.card.missing)
    }

    /// Why a better transmit stamp than the row's best is not there, on the row of a packet that was sent here; `nil`
    /// where the best that the interface offers is.
    ///
    /// - Parameter reason: what the ledger says of the stamps that did not come.
    func reasonForMissingStamp(
        _ reason: MissingReason?, expecting expected: TransmitStampKinds
    ) -> MissingReason? {
        if expected.contains(.hardware), transmitHardware == nil { return reason }
        if transmitSoftware == nil, transmitHardware == nil {
            return expected.contains(.software) ? reason : .unsupported
        }
        return nil
    }

    /// Where delays are by the cards alone, a stamp of the peer's card that is not there is why there is none, and a peer that
    /// asks its card for none gives no reason.
    mutating func explainMissingPeerStamp() {
        switch direction {
        case .out: if receiveHardware == nil, receiveMissing == nil { receiveMissing = .unsupported }
        case .in: if transmitHardware == nil, transmitMissing == nil { transmitMissing = .unsupported }
        }
    }

    /// The same on the row of a packet that the peer sent, by what it has told.
    ///
    /// - Parameter silence: why nothing was told, where nothing was.
    func reasonForMissingStamp(_ told: TransmitStamps, else silence: MissingReason) -> MissingReason? {
        transmitSoftware == nil ? silence : MissingReason(wireCode: told.card.missing)
    }
}

extension MissingReason {
    /// The reasons in the order of their numbers in docs/stamp-tlv.md, from 1 on.
    private static let onWire: [MissingReason] = [
        .unsupported, .late, .bufferFull, .skippedByDriver, .notAsked, .inFlight, .never, .onlyPTP, .closed,
    ]

    /// - Parameter code: of a card stamp; `nil` for 0, and for a number that a newer program may give.
    init?(wireCode code: UInt8) {
        guard code > 0, Int(code) <= Self.onWire.count else { return nil }
        self = Self.onWire[Int(code) - 1]
    }

    /// The number of a reason why there is no card stamp.
    var wireCode: UInt8 { UInt8((Self.onWire.firstIndex(of: self) ?? -1) + 1) }
}
