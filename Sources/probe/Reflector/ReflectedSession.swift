import LinuxKernel
import NetworkAddresses
import STAMPWire

/// The fields that identify a session: RFC 8762 section 4 and RFC 8972 section 3.
struct SessionKey: Hashable {
    var source: SocketAddress
    var destination: IPAddress
    var ssid: UInt16
}

/// The state of one session at a session-reflector.
struct ReflectedSession {
    var key: SessionKey
    fileprivate(set) var isOpen = false
    /// The sender's MAC address if packets have no IP header.
    var station: MACAddress?
    /// The session ID in the log: the sender's random ID, or a hash of the key for a standard STAMP sender.
    var identifier: UInt64
    /// The next reply's sequence number.
    var nextReply: UInt32 = 0
    /// The time of the last probe, in CLOCK_MONOTONIC nanoseconds.
    var lastUsed: Int64
    /// The time between the last two probes, in nanoseconds.
    var probeIntervalNanoseconds: Int64 = 0
    /// The IDs of replies whose timestamps are complete, to be reported to the sender.
    var stampedReplies = TelemetryQueue(capacity: 256)
    /// The follow-up of the newest earlier reply whose actual transmit timestamp is known.
    var followUp: FollowUp?
    var previousReceipt: ReceiveStamps?
    /// The newest probe, and a bit for each of the 64 newest that was received.
    var newestProbe: UInt32?
    private var window: UInt64 = 0
    /// The ID of the newest reply.
    var newestID: UInt32 = 0
    var relation: ClockRelation
    var clock: ClockEpochs
    var hasMeasured = false
    /// True if the last probe was a closing one, sent only to fetch follow-ups.
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

    /// The time without a probe after which the session expires, in nanoseconds: at least four of the sender's
    /// intervals.
    fileprivate var timeoutNanoseconds: Int64 {
        max(SessionTable.expiryNanoseconds, 4 &* min(probeIntervalNanoseconds, 1 << 60))
    }

    enum ProbeOrder {
        case inOrder, reordered, duplicate
    }

    /// Records a probe's sequence number, and returns whether the probe is in order, reordered or a duplicate.
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
            // No network reorders that far: the sender has restarted.
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

/// The sessions of a reflector, bounded in number. Idle sessions expire.
struct SessionTable {
    private var indices: [SessionKey: Int] = [:]
    /// All places, including those of closed sessions.
    private(set) var sessions: [ReflectedSession]
    private var free: [Int]
    private var lastKey: SessionKey?
    private var lastIndex = 0

    /// The largest number of sessions: more than a host has peers. It bounds a flood of forged sessions.
    static let capacity = 4096
    /// The time without a probe after which a session expires, in nanoseconds.
    static let expiryNanoseconds: Int64 = 60_000_000_000

    init() {
        indices.reserveCapacity(Self.capacity)
        let closed = SessionKey(source: SocketAddress(.v4(0), port: 0), destination: .v4(0), ssid: 0)
        sessions = Array(
            repeating: ReflectedSession(closed, identifier: 0, now: 0, bootHash: 0), count: Self.capacity)
        free = Array((0..<Self.capacity).reversed())
    }

    var count: Int { Self.capacity - free.count }
    var hasRoom: Bool { !free.isEmpty }

    /// The index of a known session; nil for a new one.
    mutating func index(of key: SessionKey) -> Int? {
        if key == lastKey { return lastIndex }
        guard let index = indices[key] else { return nil }
        lastKey = key
        lastIndex = index
        return index
    }

    /// Opens a session; returns nil if the table is full. Existing sessions are kept.
    mutating func open(_ session: ReflectedSession) -> Int? {
        guard let index = free.popLast() else { return nil }
        sessions[index] = session
        sessions[index].isOpen = true
        indices[session.key] = index
        return index
    }

    /// The session at an index that ``index(of:)`` or ``open(_:)`` returned.
    subscript(index: Int) -> ReflectedSession {
        _read { yield sessions[index] }
        _modify { yield &sessions[index] }
    }

    /// Closes every session whose timeout has passed.
    mutating func expire(_ now: Int64) {
        guard count > 0 else { return }
        for index in sessions.indices {
            guard sessions[index].isOpen, now &- sessions[index].lastUsed > sessions[index].timeoutNanoseconds
            else { continue }
            indices[sessions[index].key] = nil
            sessions[index].isOpen = false
            free.append(index)
        }
        lastKey = nil
    }
}
