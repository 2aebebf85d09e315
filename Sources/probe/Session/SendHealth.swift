/// Whether the kernel takes one role's packets, and what is reported of it: the first refusal, and the end of refusals,
/// each once.
struct SendHealth {
    private let role: SessionRole
    /// Without a refusal for so long, sending works again: a firewall that refuses every third packet is one failure.
    /// Nanoseconds.
    private let quietTime: Int64
    private(set) var isFailing = false
    private var refused: UInt64 = 0
    private var lastRefusal: Int64 = 0

    /// - Parameter interval: nanoseconds between two packets.
    init(_ role: SessionRole, interval: Int64) {
        self.role = role
        quietTime = max(1_000_000_000, 4 &* min(interval, 1 << 60))
    }

    /// Records a refused packet.
    ///
    /// - Parameter now: CLOCK_MONOTONIC nanoseconds.
    /// - Returns: a notice for the first one.
    mutating func recordRefusal(code: Int32, _ now: Int64) -> SessionNotice? {
        refused &+= 1
        lastRefusal = now
        guard !isFailing else { return nil }
        isFailing = true
        return .sendFailing(code: code, role: role)
    }

    /// The notice that sending works again, once it is due.
    mutating func recovery(_ now: Int64) -> SessionNotice? {
        guard isFailing, now &- lastRefusal >= quietTime else { return nil }
        defer { refused = 0 }
        isFailing = false
        return .sendWorksAgain(refused: refused, role: role)
    }
}
