/// Remembers translated flows and answers what a flow really is: what its packets look like on the other side of the
/// translation.
///
/// It is fed by ``ConntrackTable/dump(_:startOver:_:)`` and by ``ConntrackEvents``, holds so many flows at most (the one
/// that was heard of longest ago goes first) and none that was not heard of for a while: the end of a flow may have been
/// lost. It reads no clock. Flows that are not translated are not kept, and look the same on both sides.
public struct FlowTranslations: Sendable {
    /// Where a tuple is seen: the same addresses may mean other flows elsewhere.
    public struct Place: Hashable, Sendable {
        /// As in ``Flow/namespaceID``.
        public var namespaceID: Int32?
        /// The conntrack zone; 0 is the default one.
        public var zone: UInt16

        /// The own namespace's default zone, unless another is given.
        public init(namespaceID: Int32? = nil, zone: UInt16 = 0) {
            self.namespaceID = namespaceID
            self.zone = zone
        }
    }

    /// What the cache was asked and what became of it.
    public struct Counters: Hashable, Sendable {
        public var hits: UInt64 = 0
        public var misses: UInt64 = 0
        /// Flows that went because there was no room.
        public var evicted: UInt64 = 0
        /// Flows that went because nothing was heard of them for too long.
        public var expired: UInt64 = 0
    }

    /// The most flows that are kept.
    public let capacity: Int
    /// How long a flow is kept after it was last heard of, in nanoseconds.
    public let lifetime: Int64
    public private(set) var counters = Counters()

    private struct Key: Hashable {
        var place: Place
        var tuple: FlowTuple
    }

    private struct Entry {
        var place: Place
        var original: FlowTuple
        var translated: FlowTuple
        var id: UInt32?
        var heard: Int64
        /// The neighbours in the order of when they were last heard of.
        var older: Int?
        var newer: Int?

        func otherSide(of tuple: FlowTuple) -> FlowTuple { tuple == original ? translated : original }
    }

    private var entries: [Entry] = []
    private var free: [Int] = []
    private var places: [Key: Int] = [:]
    private var oldest: Int?
    private var newest: Int?

    /// - Parameters:
    ///   - capacity: flows, at least 1.
    ///   - lifetime: nanoseconds.
    public init(capacity: Int = 65536, lifetime: Int64 = 600_000_000_000) {
        self.capacity = max(1, capacity)
        self.lifetime = lifetime
    }

    /// How many flows are kept.
    public var count: Int { entries.count - free.count }

    /// Takes note of what happened to a flow.
    ///
    /// - Parameter now: a clock that never steps, in nanoseconds.
    public mutating func record(_ event: borrowing FlowEvent, at now: Int64) {
        if event.kind == .destroy { remove(event.flow) } else { record(event.flow, at: now) }
    }

    /// Takes note of a flow that there is: of a table's, or of an event's.
    public mutating func record(_ flow: borrowing Flow, at now: Int64) {
        expire(at: now)
        let place = Place(of: flow)
        let (original, translated) = (flow.original, flow.translated)
        if let old = places[Key(place: place, tuple: original)] {
            if entries[old].original == original, entries[old].translated == translated {
                entries[old].id = flow.id
                entries[old].heard = now
                unlink(old)
                link(old)
                return
            }
            drop(old)
        }
        // What the translated packets look like may have been another flow's before.
        if let old = places[Key(place: place, tuple: translated)] { drop(old) }
        guard original != translated else { return }
        if count >= capacity, let oldest {
            drop(oldest)
            counters.evicted += 1
        }
        insert(
            Entry(place: place, original: original, translated: translated, id: flow.id, heard: now))
    }

    /// Forgets a flow that has ended. Another one that has come in its place stays.
    public mutating func remove(_ flow: borrowing Flow) {
        guard let index = places[Key(place: Place(of: flow), tuple: flow.original)] else { return }
        if let id = flow.id, let known = entries[index].id, id != known { return }
        drop(index)
    }

    /// What packets that look like the tuple on one side look like on the other side, in the same direction.
    ///
    /// - Parameters:
    ///   - tuple: of packets of either direction, before they are translated or after.
    ///   - now: the clock of ``record(_:at:)``.
    /// - Returns: `nil` for a flow that is not known to be translated.
    public mutating func otherSide(of tuple: FlowTuple, in place: Place = Place(), at now: Int64) -> FlowTuple? {
        expire(at: now)
        if let index = places[Key(place: place, tuple: tuple)] {
            counters.hits += 1
            return entries[index].otherSide(of: tuple)
        }
        let back = tuple.turnedRound
        if let index = places[Key(place: place, tuple: back)] {
            counters.hits += 1
            return entries[index].otherSide(of: back).turnedRound
        }
        counters.misses += 1
        return nil
    }

    // MARK: - The entries and their order

    private mutating func expire(at now: Int64) {
        while let oldest, now - entries[oldest].heard > lifetime {
            drop(oldest)
            counters.expired += 1
        }
    }

    private mutating func insert(_ entry: Entry) {
        let index: Int
        if let last = free.popLast() {
            index = last
            entries[index] = entry
        } else {
            index = entries.count
            entries.append(entry)
        }
        places[Key(place: entry.place, tuple: entry.original)] = index
        places[Key(place: entry.place, tuple: entry.translated)] = index
        link(index)
    }

    private mutating func drop(_ index: Int) {
        let entry = entries[index]
        for tuple in [entry.original, entry.translated] {
            let key = Key(place: entry.place, tuple: tuple)
            if places[key] == index { places[key] = nil }
        }
        unlink(index)
        free.append(index)
    }

    /// Puts an entry behind the newest.
    private mutating func link(_ index: Int) {
        entries[index].older = newest
        entries[index].newer = nil
        if let newest { entries[newest].newer = index } else { oldest = index }
        newest = index
    }

    private mutating func unlink(_ index: Int) {
        let (older, newer) = (entries[index].older, entries[index].newer)
        if let older { entries[older].newer = newer } else { oldest = newer }
        if let newer { entries[newer].older = older } else { newest = older }
    }
}

extension FlowTranslations.Place {
    /// Flows whose directions are in different zones are found by the original one's.
    fileprivate init(of flow: borrowing Flow) {
        let (both, original) = (flow.zone, flow.originalZone)
        self.init(namespaceID: flow.namespaceID, zone: both ?? original ?? 0)
    }
}
