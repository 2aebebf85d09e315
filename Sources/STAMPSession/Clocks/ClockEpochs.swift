/// The clock epochs of one session, as one host counts them. Each step of either host's clock begins a new one, and
/// delays of different clock epochs cannot be compared.
struct ClockEpochs: Sendable {
    /// The clock epoch of packets that are sent now.
    private(set) var current: UInt32 = 0
    /// The clock epoch that the last step of the peer's clock began.
    private(set) var lastPeerStep: UInt32 = 0
    /// The clock epoch that the log numbers 0.
    private var first: UInt32 = 0
    /// The local steps that have been counted, and those among them that a peer on the same clock has not reported yet.
    private var localSteps: UInt32
    private var unreported: UInt32 = 0
    /// The peer's count of steps, as last reported.
    private var reported: UInt8?

    /// Creates the epochs of a new session.
    ///
    /// - Parameter localSteps: the number of earlier steps of this host's clock.
    init(localSteps: UInt32 = 0) { self.localSteps = localSteps }

    /// Starts the numbering of the log at the current clock epoch. Earlier ones have no rows.
    mutating func begin() { first = current }

    /// The number of a clock epoch in the log; nil beyond 65,535.
    func label(_ epoch: UInt32) -> UInt16? { UInt16(exactly: epoch &- first) }

    /// Updates the count of this host's steps. An increase begins a clock epoch.
    mutating func follow(localSteps count: UInt32) {
        let new = count &- localSteps
        guard new > 0 else { return }
        localSteps = count
        unreported = reported == nil ? 0 : unreported &+ new
        current &+= 1
    }

    /// Updates the count of steps that the peer reports of its clock. An older count comes from a reordered packet, and
    /// is ignored.
    ///
    /// - Parameter isOneClock: true if both ends share one clock. This host then sees its steps itself, before the peer
    ///   reports them.
    /// - Returns: true if the peer's clock was set since its last report.
    mutating func update(reported count: UInt8, isOneClock: Bool) -> Bool {
        guard let before = reported else {
            reported = count
            return false
        }
        var new = UInt32(count &- before)
        guard new > 0, new < 128 else { return false }
        reported = count
        if isOneClock {
            let known = min(new, unreported)
            unreported &-= known
            new &-= known
        }
        guard new > 0 else { return false }
        recordPeerStep()
        return true
    }

    /// Begins a clock epoch because the peer's clock was set.
    mutating func recordPeerStep() {
        current &+= 1
        lastPeerStep = current
    }

    /// Forgets the peer's count, because the peer has restarted.
    mutating func resetPeer() {
        reported = nil
        unreported = 0
    }
}
