import FastAFPacket
import Report

extension PacketRecord {
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
}
