/// The reflector's lives as its replies show them to the sender. Reply numbers of different lives cannot be compared.
///
/// A paired reflector's instance shows its life. docs/architecture.md: "A reply to a newer probe, with a number far below
/// the newest, means that the reflector restarted. It is not reordering." Far is more than 64.
struct ReflectorLives {
    /// The number of the life, from the sender's view.
    private(set) var current: UInt64 = 0
    /// True if the reflector has restarted, and its numbers do not show it.
    private(set) var isMisled = false
    private var life = 0
    private var instance: Int?
    private var newestNumber: UInt32?
    private var newestProbe: UInt32?

    /// Takes the next reply, and returns true if it shows that the reflector has restarted.
    mutating func take(_ reply: Truth.Reply, isPaired: Bool) -> Bool {
        var hasRestarted = isPaired && instance != nil && instance != reply.life
        if isPaired { instance = reply.life }
        if !hasRestarted, let newestNumber, let newestProbe {
            hasRestarted = reply.probe > newestProbe && newestNumber > reply.number + 64
        }
        if reply.life != life, !hasRestarted { isMisled = true }
        life = reply.life
        if hasRestarted {
            current += 1
            (newestNumber, newestProbe) = (nil, nil)
        }
        newestNumber = max(newestNumber ?? 0, reply.number)
        newestProbe = max(newestProbe ?? 0, reply.probe)
        return hasRestarted
    }
}
