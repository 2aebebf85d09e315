import NetworkAddresses
import Report
import STAMPWire

/// A session-reflector as a state machine: it writes the replies to probes of any number of sessions, reports the actual
/// transmit timestamps of its replies in later ones, and can turn what it learns into rows.
///
/// It opens no socket, starts no thread and reads no clock; see ``SessionSender``. For each probe call
/// ``answer(_:from:station:_:into:at:)``, send the reply, and call ``recordSent(_:at:)`` or
/// ``recordRefusal(_:code:at:)``. For each message with transmit timestamps call ``record(_:of:bits:width:at:)``. When
/// ``deadline`` has passed, and after packets or timestamps were passed to it, call ``advance(to:stampsBefore:)``.
///
/// Sessions are isolated. Each keeps at least 64 unfinished replies of 216 bytes; beyond that they share 131,072, of which
/// one session gets at most 32,768, and never more than half of what is left. A session that has no slot left finishes its
/// own oldest reply early. 4,096 sessions take 65 MiB at most, and the shared slots another 27 MiB.
public struct SessionReflector: ~Copyable {
    // Methods that only read are inlined or mutating, as in SessionSender.

    public let configuration: Configuration
    let host: any SessionHost

    var table = SessionTable()
    /// Sessions that have changed since the last advance.
    var touched: [Int] = []
    @usableFromInline var book: TransmitBook
    /// True if probes that are received now may have arrived before this host's clock was set.
    var receiptMayPrecedeStep = false
    var sendHealth = SendHealth(.reflector, interval: 0)
    public internal(set) var result = ReflectorResult()
    /// The time of the next report, in CLOCK_MONOTONIC nanoseconds.
    @usableFromInline var nextReport: Int64

    /// Creates a reflector without sessions.
    ///
    /// - Parameter host: receives the records and notices.
    public init(_ configuration: Configuration, host: any SessionHost, at now: HostTime) {
        self.configuration = configuration
        self.host = host
        book = TransmitBook(expecting: configuration.expectedStamps)
        touched.reserveCapacity(SessionTable.capacity)
        nextReport = now.monotonic &+ SessionSender.reportIntervalNanoseconds
    }

    /// The time at which the reflector has something to do without a packet, in CLOCK_MONOTONIC nanoseconds.
    @inlinable public var deadline: Int64 { nextReport }

    /// Writes off what has not arrived in time, and reports once a second.
    ///
    /// - Parameter stampsBefore: transmit timestamps of replies that were sent earlier are written off, in
    ///   CLOCK_MONOTONIC nanoseconds.
    public mutating func advance(to now: HostTime, stampsBefore: Int64) {
        guard now.monotonic >= nextReport else {
            for place in touched { sweep(place, now, stampsBefore: stampsBefore) }
            return touched.removeAll(keepingCapacity: true)
        }
        touched.removeAll(keepingCapacity: true)
        for place in table.sessions.indices where table[place].isOpen {
            sweep(place, now, stampsBefore: stampsBefore)
        }
        nextReport = now.monotonic &+ SessionSender.reportIntervalNanoseconds
        if let notice = sendHealth.recovery(now.monotonic) { host.report(notice) }
        expire(now)
        host.update(result.totals)
    }

    /// Returns whether a sender is still active: its session is open and it is neither closing nor silent.
    public func isServing(at now: HostTime) -> Bool {
        table.sessions.contains { session in
            guard session.isOpen else { return false }
            let isDone = session.isClosing && session.hasMeasured
            let timeout = isDone ? 200_000_000 : max(1_000_000_000, 3 &* session.probeIntervalNanoseconds)
            return now.monotonic &- session.lastUsed < timeout
        }
    }

    /// Ends all sessions: writes the rows of all remaining probes.
    ///
    /// - Returns: the results.
    public mutating func finish(at now: HostTime) -> ReflectorResult {
        for place in table.sessions.indices where table[place].isOpen { finishAll(place) }
        host.update(result.totals)
        result.ledger = book.ledger
        result.unknownStamps = book.unknownStamps
        return result
    }

    /// Records a step of this host's CLOCK_REALTIME.
    ///
    /// Check for steps after probes are received and before they are answered: a reply's count of clock steps then
    /// applies to its own timestamps and to those that it reports.
    public mutating func recordLocalStep(amount: Int64, error: Int64, at now: HostTime) {
        receiptMayPrecedeStep = true
        for place in table.sessions.indices where table[place].isOpen {
            table[place].clock.follow(localSteps: now.clockSteps)
        }
        guard configuration.reportsClock else { return }
        let entry = ClockStep(
            side: .local, epoch: UInt16(clamping: now.clockSteps), noticed: now.realtime, sequence: nil, amount: amount,
            error: error)
        result.clockSteps.add(entry)
        if result.clockSteps.last != nil { host.report(.clockSet(entry)) }
    }

    /// Records that no packet from before the last clock step is left to receive.
    public mutating func recordEmptyQueue() { receiptMayPrecedeStep = false }

    private mutating func expire(_ now: HostTime) {
        for place in table.sessions.indices where table.hasExpired(place, now.monotonic) { finishAll(place) }
        table.expire(now.monotonic)
    }

    mutating func touch(_ place: Int) {
        guard !table[place].isTouched else { return }
        table[place].isTouched = true
        touched.append(place)
    }
}
