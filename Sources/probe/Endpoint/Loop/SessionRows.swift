import LinuxKernel
import Report
import STAMPSession

/// Passes the rows and notices of one session to the recorder. They never wait: what finds no room is counted.
final class SessionRows: SessionHost {
    private let ring: SPSCRing<SessionEvent>
    let source: EventSource
    private let missed: MissedStamps
    /// Events that were dropped because the recorder was too slow.
    private(set) var dropped: UInt64 = 0

    init(_ source: EventSource, _ ring: SPSCRing<SessionEvent>, _ missed: MissedStamps) {
        self.source = source
        self.ring = ring
        self.missed = missed
    }

    /// Inlined, so that a row is copied once on its way into the ring.
    @inline(__always)
    func push(_ event: SessionEvent) {
        if !ring.push(event) { dropped &+= 1 }
    }

    func record(_ row: PacketRecord, lateness: Int64?) { push(.row(row, lateness: lateness, source)) }
    func update(_ totals: SessionTotals) { push(.totals(totals, source)) }
    func report(_ notice: SessionNotice) { push(.notice(notice, source)) }
    func reasonForMissingHardwareStamp() -> MissingReason { missed.explain() }
}
