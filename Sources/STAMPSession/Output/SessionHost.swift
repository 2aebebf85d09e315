import Report

/// The surroundings of a session: they receive its records and notices.
///
/// A session calls them from within its own methods, on the thread that called those. They must not call the session.
public protocol SessionHost: AnyObject {
    /// Receives a finished row.
    ///
    /// - Parameter lateness: the time from the probe's deadline to its sending in nanoseconds, for probes of a
    ///   session-sender.
    func record(_ row: PacketRecord, lateness: Int64?)

    /// Receives the totals since the start, once a second and at the end.
    func update(_ totals: SessionTotals)

    /// Receives a notice for the user.
    func report(_ notice: SessionNotice)

    /// Returns the reason why a packet has its other transmit timestamps but not the NIC's. Called once for each such
    /// packet.
    func reasonForMissingHardwareStamp() -> MissingReason
}

extension SessionHost {
    public func update(_: SessionTotals) {}
    public func report(_: SessionNotice) {}
    public func reasonForMissingHardwareStamp() -> MissingReason { .skippedByDriver }
}
