/// The stretches between two steps of either end's clock, as one host counts them for one session. Delays of different
/// stretches can't be compared.
struct ClockEpochs: Sendable {
    /// The stretch that what is sent now belongs to.
    private(set) var current: UInt32 = 0
    /// The one that the last step of the peer's clock began.
    private(set) var ofPeer: UInt32 = 0
    /// What the log calls the first.
    private var first: UInt32 = 0
    /// Own steps that have been followed, and those among them that a peer on the same clock has not told of yet.
    private var ownSteps: UInt32
    private var untold: UInt32 = 0
    /// The peer's count, as it told last.
    private var told: UInt8?

    /// - Parameter ownSteps: how often this host's clock has been set before.
    init(ownSteps: UInt32 = 0) { self.ownSteps = ownSteps }

    /// Where the measurement begins: stretches before it have no rows.
    mutating func begin() { first = current }

    /// A stretch as the log names it; `nil` for one beyond what it can count to.
    func label(_ epoch: UInt32) -> UInt16? { UInt16(exactly: epoch &- first) }

    /// Takes up this host's own steps.
    mutating func follow(ownSteps count: UInt32) {
        let new = count &- ownSteps
        guard new > 0 else { return }
        ownSteps = count
        untold = told == nil ? 0 : untold &+ new
        current &+= 1
    }

    /// Takes up the count of steps that the peer tells of its own clock.
    ///
    /// - Parameter isOneClock: both ends have one clock, whose steps this host sees itself, and before the peer tells.
    /// - Returns: whether the peer's clock was set since it told last. An older count, from a packet that was overtaken, says
    ///   nothing.
    mutating func learn(told count: UInt8, isOneClock: Bool) -> Bool {
        guard let before = told else {
            told = count
            return false
        }
        var new = UInt32(count &- before)
        guard new > 0, new < 128 else { return false }
        told = count
        if isOneClock {
            let known = min(new, untold)
            untold &-= known
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
        told = nil
        untold = 0
    }
}
