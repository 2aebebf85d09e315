import LinuxKernel
import NetworkAddresses
import STAMPWire

/// What tells one session from another: RFC 8762 section 4 and RFC 8972 section 3.
struct SessionKey: Hashable {
    var source: SocketAddress
    var destination: IPAddress
    var ssid: UInt16
}

/// What a session-reflector keeps of one session.
struct ReflectedSession {
    var key: SessionKey
    fileprivate(set) var isOpen = false
    /// The sender's MAC address, where packets have no IP header.
    var station: MACAddress?
    /// The sender's own random id, as it names the session in the log; of a foreign sender, a hash of the key.
    var identifier: UInt64
    /// The next reply's own sequence.
    var nextReply: UInt32 = 0
    /// CLOCK_MONOTONIC.
    var lastUsed: Int64
    /// The time between the last two probes, in nanoseconds.
    var gap: Int64 = 0
    /// Ids of replies whose timestamps are complete, to tell the sender of.
    var stampedReplies = TelemetryQueue(capacity: 256)
    /// The newest earlier reply whose true transmit timestamp is known.
    var followUp: FollowUp?
    var previousReceipt: ReceiveStamps?
    /// The newest probe, and a bit for each of the 64 before it that came.
    var newestProbe: UInt32?
    private var window: UInt64 = 0
    /// The id of the newest reply.
    var newestID: UInt32 = 0
    var relation: ClockRelation
    var clock: ClockEpochs
    var hasMeasured = false
    /// The last probe only collected what was left.
    var isClosing = false
    var isPaired = false

    init(_ key: SessionKey, identifier: UInt64, now: Int64, bootHash: UInt64, localSteps: UInt32 = 0) {
        self.key = key
        self.identifier = identifier
        lastUsed = now
        relation = ClockRelation(localBootHash: bootHash)
        clock = ClockEpochs(localSteps: localSteps)
    }

    private static let restartDistance: UInt64 = 1024

    /// How long it may be silent, in nanoseconds: a slow sender for several of its own pauses.
    fileprivate var timeout: Int64 { max(SessionTable.expiry, 4 &* min(gap, 1 << 60)) }

    enum ProbeOrder {
        case inOrder, reordered, duplicate
    }

    /// Enters a probe's sequence and tells whether it came before, or after a later one.
    mutating func record(probe sequence: UInt32) -> ProbeOrder {
        guard let newest = newestProbe else {
            newestProbe = sequence
            window = 1
            return .inOrder
        }
        let ahead = Int32(bitPattern: sequence &- newest)
        if ahead > 0 {
            window = ahead < 64 ? window << UInt64(ahead) | 1 : 1
            newestProbe = sequence
            return .inOrder
        }
        let behind = UInt64(ahead.magnitude)
        if behind > Self.restartDistance {
            // No network reorders as far as that: the sender has started anew.
            newestProbe = sequence
            window = 1
            return .inOrder
        }
        guard behind < 64 else { return .reordered }
        if window & 1 << behind != 0 { return .duplicate }
        window |= 1 << behind
        return .reordered
    }
}

/// The sessions of a reflector: bounded in number, and forgotten when they have been silent.
struct SessionTable {
    private var indices: [SessionKey: Int] = [:]
    /// Closed ones keep their place.
    private(set) var sessions: [ReflectedSession]
    private var free: [Int]
    private var lastKey: SessionKey?
    private var lastIndex = 0

    /// More than any probing host has peers; a flood of made-up sessions ends here.
    static let capacity = 4096
    /// Nanoseconds of silence after which a session is forgotten.
    static let expiry: Int64 = 60_000_000_000

    init() {
        indices.reserveCapacity(Self.capacity)
        let closed = SessionKey(source: SocketAddress(.v4(0), port: 0), destination: .v4(0), ssid: 0)
        sessions = Array(
            repeating: ReflectedSession(closed, identifier: 0, now: 0, bootHash: 0), count: Self.capacity)
        free = Array((0..<Self.capacity).reversed())
    }

    var count: Int { Self.capacity - free.count }
    var hasRoom: Bool { !free.isEmpty }

    /// The index of a session that is kept; `nil` for a new one.
    mutating func index(of key: SessionKey) -> Int? {
        if key == lastKey { return lastIndex }
        guard let index = indices[key] else { return nil }
        lastKey = key
        lastIndex = index
        return index
    }

    /// Opens a session; `nil` when there is no room. Those that are there go on.
    mutating func open(_ session: ReflectedSession) -> Int? {
        guard let index = free.popLast() else { return nil }
        sessions[index] = session
        sessions[index].isOpen = true
        indices[session.key] = index
        return index
    }

    /// A session at an index that ``index(of:)`` or ``open(_:)`` gave.
    subscript(index: Int) -> ReflectedSession {
        _read { yield sessions[index] }
        _modify { yield &sessions[index] }
    }

    /// Forgets the sessions that have been silent for long, by their own measure.
    mutating func expire(_ now: Int64) {
        guard count > 0 else { return }
        for index in sessions.indices {
            guard sessions[index].isOpen, now &- sessions[index].lastUsed > sessions[index].timeout
            else { continue }
            indices[sessions[index].key] = nil
            sessions[index].isOpen = false
            free.append(index)
        }
        lastKey = nil
    }
}
