import Foundation
import Report

/// The records of a packet log, as ``PacketLogReader`` reads them.
struct Log {
    let rows: [PacketRecord]

    /// Reads a whole log.
    ///
    /// - Throws: `PacketLogError` for the first invalid line, including a cut last line.
    init(_ path: String) throws { try self.init(Array(Data(contentsOf: URL(fileURLWithPath: path)))) }

    init(_ bytes: [UInt8]) throws { rows = try PacketLogReader.records(in: bytes) }

    private init(rows: [PacketRecord]) { self.rows = rows }

    /// The rows about probes, in the log's order.
    var probes: [PacketRecord] { rows.filter { $0.packet == .probe } }
    /// The rows about replies, in the log's order.
    var replies: [PacketRecord] { rows.filter { $0.packet == .reply } }

    /// The rows of one session.
    func session(_ identifier: UInt64) -> Log { Log(rows: rows.filter { $0.session == identifier }) }
    /// The rows of all other sessions.
    func others(than identifier: UInt64) -> Log { Log(rows: rows.filter { $0.session != identifier }) }

    /// The number of probes or replies with a status.
    func count(_ packet: PacketKind, _ status: PacketStatus) -> Int {
        rows.count { $0.packet == packet && $0.status == status }
    }
}

extension Sequence<PacketRecord> {
    /// The first row of each sequence number.
    var bySequence: [UInt32: PacketRecord] {
        Dictionary(map { ($0.sequence, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
