import STAMPWire

/// The relation between this host's clock and the peer's, which bounds the error of one-way delays.
public struct ClockRelation: Sendable {
    let localBootHash: UInt64
    /// The hash of the peer's boot ID; nil until the peer has reported it.
    public private(set) var peerBootHash: UInt64?
    /// min(T2 - T1) and max(T3 - T4). On one clock no packet arrives before it is sent.
    private var minimumForward = Int64.max
    private var maximumReverse = Int64.min
    /// True if the peer's clock was set and this host's was not. The hosts then have two clocks, whatever their boot
    /// IDs.
    private var wasPeerSetAlone = false
    private var localEstimate = ErrorEstimate(rawValue: 0)
    private var peerEstimate = ErrorEstimate(rawValue: 0)

    init(localBootHash: UInt64) { self.localBootHash = localBootHash }

    /// Timestamps of one clock are truncated to whole nanoseconds, so the error of their difference is below 1 ns.
    static let oneClockErrorNanoseconds: Int64 = 1

    /// Updates the peer's boot hash.
    ///
    /// - Returns: true if it differs from the one reported before: the peer runs on another kernel, or was rebooted.
    @discardableResult
    mutating func update(peerBootHash hash: UInt64) -> Bool {
        defer { peerBootHash = hash }
        guard let known = peerBootHash, known != 0, hash != 0 else { return false }
        return known != hash
    }

    mutating func recordPeerStep() { if haveSameBootID { wasPeerSetAlone = true } }

    mutating func update(local: ErrorEstimate, peer: ErrorEstimate) {
        localEstimate = local
        peerEstimate = peer
    }

    /// Updates the extreme delays from packets during which no clock was set.
    mutating func update(forward: Int64?, reverse: Int64?) {
        if let forward { minimumForward = min(minimumForward, forward) }
        if let reverse { maximumReverse = max(maximumReverse, 0 &- reverse) }
    }

    private var haveSameBootID: Bool { peerBootHash == localBootHash && localBootHash != 0 }

    /// True if the delays are possible on one clock. An equal boot hash is not enough, since machines can be cloned.
    private var delaysAllowOneClock: Bool { maximumReverse <= 0 && minimumForward >= 0 && !wasPeerSetAlone }

    /// True if both instances run on one kernel, as far as the boot IDs and the delays show.
    public var isOneClock: Bool { haveSameBootID && delaysAllowOneClock }

    /// True if the boot hashes are equal but the delays are impossible on one clock.
    public var disagrees: Bool { haveSameBootID && !delaysAllowOneClock }

    /// The bound of a one-way delay's error, in nanoseconds; nil if delays are relative.
    public var error: Int64? { error(local: localEstimate, peer: peerEstimate) }

    /// The bound of the error of a delay between timestamps for which the two hosts had these estimates.
    func error(local: ErrorEstimate, peer: ErrorEstimate) -> Int64? {
        if isOneClock { return Self.oneClockErrorNanoseconds }
        if haveSameBootID { return nil }
        guard local.synchronized, peer.synchronized, let local = local.errorNanoseconds,
            let peer = peer.errorNanoseconds
        else { return nil }
        let (sum, overflow) = local.addingReportingOverflow(peer)
        return overflow ? nil : sum
    }

    /// The relation as text, for the summary and the description.
    public var note: String {
        if isOneClock { return "one clock: both instances run on the same kernel (same boot ID), delays are absolute" }
        if disagrees {
            return
                "relative: the boot IDs are equal, but the delays cannot come from one clock (a cloned machine?)"
        }
        if let error { return "synchronised: both kernels bound their clocks' errors, at most \(error) ns in total" }
        if peerBootHash == nil && peerEstimate.rawValue == 0 { return "relative: nothing is known of the peer's clock" }
        let local = localEstimate.synchronized
        let peer = peerEstimate.synchronized
        let whose = local ? "the peer's clock is not" : peer ? "this host's clock is not" : "neither clock is"
        return "relative: \(whose) known to be synchronised; only variation and round trips are exact"
    }
}
