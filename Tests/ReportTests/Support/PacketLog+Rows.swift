@testable import Report

extension PacketLog {
    /// Appends one row with a new writer.
    static func appendRow(_ record: PacketRecord, to bytes: inout [UInt8]) {
        var writer = RowWriter()
        writer.append(record, to: &bytes)
    }
}
