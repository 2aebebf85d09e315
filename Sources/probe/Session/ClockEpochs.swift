/// The clock epochs between two steps of either end's clock, as one host counts them for one session. Delays of different
/// clock epochs can't be compared.
struct ClockEpochs: Sendable {
    /// The clock epoch that what is sent now belongs to.
    private(set) var current: UInt32 = 0
    /// The one that the last step of the peer's clock began.
    private(set) var ofPeer: UInt32 = 0
    /// What the log calls the first.
    private var first: UInt32 = 0
    /// Own steps that have been followed, and those among them that a peer on the same clock has not told of yet.
    private var localSteps: UInt32
    private var unreported: UInt32 = 0
    /// The peer's count, as it told last.
    private var reported: UInt8?

    /// - Parameter localSteps: how often this host's clock has been set before.
    init(localSteps: UInt32 = 0) { self.localSteps = localSteps }

    /// Where the measurement begins: clock epochs before it have no rows.
    mutating func begin() { first = current }

    /// A clock epoch as the log names it; `nil` for one beyond what it can count to.
    func label(_ epoch: UInt32) -> UInt16? { UInt16(exactly: epoch &- first) }

    /// Takes up this host's own steps.
    mutating func follow(localSteps count: UInt32) {
        let new = count &- localSteps
        guard new > 0 else { return }
        localSteps = count
        unreported = reported == nil ? 0 : unreported &+ new
        current &+= 1
    }

    /// Takes up the count of steps that the peer tells of its own clock.
    ///
    /// - Parameter isOneClock: both ends have one clock, whose steps this host sees itself, and before the peer tells.
    /// - Returns: whether the peer's clock was set since it told last. An older count, from a packet that was overtaken, says
    ///   nothing.
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
        beginWithPeer()
        return true
    }

    /// The peer's clock was set.
    mutating func beginWithPeer() {
        current &+= 1
        ofPeer = current
    }

    /// The peer counts from the start again.
    mutating func forgetPeer() {
        reported = nil
        unreported = 0
    }
}
