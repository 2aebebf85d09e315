/// The sessions of a reflector, bounded in number. Idle sessions expire.
struct SessionTable: Sendable {
    private var indices: [SessionKey: Int] = [:]
    /// All places, including those of closed sessions.
    private(set) var sessions: [ReflectedSession] = []
    private var free: [Int] = []
    private var lastKey: SessionKey?
    private var lastIndex = 0
    /// The slots of all sessions beyond ``guaranteedSlots`` of each.
    private var pooledSlots = 0

    /// The largest number of sessions: more than a host has peers. It bounds a flood of forged sessions.
    static let capacity = 4096
    /// The time without a probe after which a session expires, in nanoseconds.
    static let expiryNanoseconds: Int64 = 60_000_000_000
    /// The slots of a new session, which each has whatever the others have.
    static let guaranteedSlots = 64
    /// The largest number of slots of one session.
    static let slotLimit = 1 << 15
    /// The slots that all sessions share beyond the guaranteed ones.
    static let poolLimit = 1 << 17

    init() {
        indices.reserveCapacity(Self.capacity)
        free.reserveCapacity(Self.capacity)
    }

    /// The number of open sessions.
    var count: Int { sessions.count - free.count }
    var hasRoom: Bool { count < Self.capacity }

    /// The index of a known session; nil for a new one.
    mutating func index(of key: SessionKey) -> Int? {
        if key == lastKey { return lastIndex }
        guard let index = indices[key] else { return nil }
        lastKey = key
        lastIndex = index
        return index
    }

    /// The ID of the next reply at the place that the next session gets.
    var nextID: UInt32 { free.last.map { sessions[$0].replies.next } ?? 0 }

    /// Opens a session, whose first ID is ``nextID``; returns nil if the table is full. Existing sessions are kept.
    mutating func open(_ session: ReflectedSession) -> Int? {
        guard hasRoom else { return nil }
        let index = free.popLast() ?? sessions.count
        if index == sessions.count { sessions.append(session) } else { sessions[index] = session }
        sessions[index].isOpen = true
        indices[session.key] = index
        return index
    }

    /// The session at an index that ``index(of:)`` or ``open(_:)`` returned.
    subscript(index: Int) -> ReflectedSession {
        @inline(__always) _read { yield sessions[index] }
        @inline(__always) _modify { yield &sessions[index] }
    }

    /// Doubles a session's slots, within its own limit and half of what the others have left.
    ///
    /// - Returns: false if the session has to do with the slots that it has.
    mutating func enlarge(_ index: Int) -> Bool {
        let now = sessions[index].replies.capacity
        let larger = 2 * now
        guard larger <= Self.slotLimit, now <= (Self.poolLimit - pooledSlots) / 2 else { return false }
        pooledSlots += now
        sessions[index].replies.grow(to: larger, empty: ReplySlot())
        return true
    }

    /// Returns whether a session's timeout has passed.
    func hasExpired(_ index: Int, _ now: Int64) -> Bool {
        sessions[index].isOpen && now &- sessions[index].lastUsed > sessions[index].timeoutNanoseconds
    }

    /// Closes every session whose timeout has passed.
    mutating func expire(_ now: Int64) {
        for index in sessions.indices where hasExpired(index, now) { close(index) }
        lastKey = nil
    }

    private mutating func close(_ index: Int) {
        indices[sessions[index].key] = nil
        sessions[index].isOpen = false
        pooledSlots -= sessions[index].replies.capacity - Self.guaranteedSlots
        sessions[index].replies.removeAll()
        free.append(index)
    }
}
