import STAMPWire

/// What is known of the offset between this host's clock and the peer's, and so the bound of a one-way delay's error.
struct ClockRelation: Sendable {
    let localBootHash: UInt64
    /// The peer's boot hash; `nil` until it has told one.
    private(set) var peerBootHash: UInt64?
    /// min(T2 - T1) and max(T3 - T4): without an offset no probe can arrive before it was sent.
    private var leastForward = Int64.max
    private var mostReverse = Int64.min
    /// The peer's clock was set and this host's was not: whatever the boot ids say, they are two.
    private var wasPeerSetAlone = false
    private var localEstimate = ErrorEstimate(rawValue: 0)
    private var peerEstimate = ErrorEstimate(rawValue: 0)

    init(localBootHash: UInt64) { self.localBootHash = localBootHash }

    /// Two timestamps of one clock are cut to whole nanoseconds each, so their difference is off by less than one.
    static let oneClockError: Int64 = 1

    /// - Returns: whether the peer runs on another kernel than the one that it has told of before.
    @discardableResult
    mutating func update(peerBootHash hash: UInt64) -> Bool {
        defer { peerBootHash = hash }
        guard let known = peerBootHash, known != 0, hash != 0 else { return false }
        return known != hash
    }

    mutating func recordPeerStep() { if haveSameBoot { wasPeerSetAlone = true } }

    mutating func update(local: ErrorEstimate, peer: ErrorEstimate) {
        localEstimate = local
        peerEstimate = peer
    }

    /// - Parameters: delays of packets during which no clock was set.
    mutating func update(forward: Int64?, reverse: Int64?) {
        if let forward { leastForward = min(leastForward, forward) }
        if let reverse { mostReverse = max(mostReverse, 0 &- reverse) }
    }

    private var haveSameBoot: Bool { peerBootHash == localBootHash && localBootHash != 0 }

    /// The same boot hash is not enough: machines can be clones of one another.
    private var delaysAllowOneClock: Bool { mostReverse <= 0 && leastForward >= 0 && !wasPeerSetAlone }

    /// Whether both instances run on one kernel, as far as can be known.
    var isOneClock: Bool { haveSameBoot && delaysAllowOneClock }

    /// Whether one boot hash goes with delays that one clock can't give.
    var disagrees: Bool { haveSameBoot && !delaysAllowOneClock }

    /// The bound of a one-way delay's error in nanoseconds; `nil` means that delays are relative.
    var error: Int64? {
        if isOneClock { return Self.oneClockError }
        if haveSameBoot { return nil }
        guard localEstimate.synchronized, peerEstimate.synchronized, let local = localEstimate.errorNanoseconds,
            let peer = peerEstimate.errorNanoseconds
        else { return nil }
        let (sum, overflow) = local.addingReportingOverflow(peer)
        return overflow ? nil : sum
    }

    /// The same in words.
    var note: String {
        if isOneClock { return "one clock: both instances run on the same kernel (same boot id), delays are absolute" }
        if disagrees {
            return
                "relative: the boot ids agree but the delays can't come from one clock (a cloned machine?)"
        }
        if let error { return "synchronised: both ends vouch for their clocks, error at most \(error) ns (sum)" }
        if peerBootHash == nil && peerEstimate.rawValue == 0 { return "relative: nothing is known of the peer's clock" }
        let local = localEstimate.synchronized
        let peer = peerEstimate.synchronized
        let whose = local ? "the peer's clock is not" : peer ? "this host's clock is not" : "neither clock is"
        return "relative: \(whose) known to be synchronised; only variation and round trips are exact"
    }
}
