import Foundation
import Report

/// A packet log as it is read back: by the names of its columns.
struct Log {
    let rows: [PacketRecord]

    /// - Throws: `PacketLogError` for the first thing that is wrong, a cut last line included.
    init(_ path: String) throws { try self.init(Array(Data(contentsOf: URL(fileURLWithPath: path)))) }

    init(_ bytes: [UInt8]) throws { rows = try PacketLogReader.records(in: bytes) }

    private init(rows: [PacketRecord]) { self.rows = rows }

    /// The rows about probes, in the log's order.
    var probes: [PacketRecord] { rows.filter { $0.packet == .probe } }
    /// The rows about replies, in the log's order.
    var replies: [PacketRecord] { rows.filter { $0.packet == .reply } }

    /// The rows of one session.
    func session(_ identifier: UInt64) -> Log { Log(rows: rows.filter { $0.session == identifier }) }
    /// The rows of all sessions but one.
    func others(than identifier: UInt64) -> Log { Log(rows: rows.filter { $0.session != identifier }) }

    /// How many rows of a kind have a status.
    func count(_ packet: PacketKind, _ status: PacketStatus) -> Int {
        rows.count { $0.packet == packet && $0.status == status }
    }
}

extension Sequence<PacketRecord> {
    /// The rows by their sequence number; of several with one number the first.
    var bySequence: [UInt32: PacketRecord] {
        Dictionary(map { ($0.sequence, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
