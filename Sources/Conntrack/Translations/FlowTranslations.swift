/// A bounded cache of translated flows, which maps a packet's tuple on one side of a NAT to its tuple on the other
/// side.
///
/// Fill it from ``ConntrackTable/dump(_:startOver:_:)`` and ``ConntrackEvents``. When it is full, it evicts the flow
/// that was updated least recently; a flow that is not updated for its lifetime expires, because its destroy event may
/// have been lost. The caller supplies the time. Flows without NAT, whose tuples are the same on both sides, are not
/// cached.
public struct FlowTranslations: Sendable {
    /// The namespace and zone of a tuple. The same tuple may belong to another flow elsewhere.
    public struct Place: Hashable, Sendable {
        /// The namespace's id, as in ``Flow/namespaceID``.
        public var namespaceID: Int32?
        /// The conntrack zone; 0 is the default one.
        public var zone: UInt16

        /// A place; by default the default zone of the listener's namespace.
        public init(namespaceID: Int32? = nil, zone: UInt16 = 0) {
            self.namespaceID = namespaceID
            self.zone = zone
        }
    }

    /// Counters of lookups and removals.
    public struct Counters: Hashable, Sendable {
        /// Lookups that found a flow.
        public var hits: UInt64 = 0
        /// Lookups that found none.
        public var misses: UInt64 = 0
        /// Flows removed because the cache was full.
        public var evicted: UInt64 = 0
        /// Flows removed because they were not updated for their lifetime.
        public var expired: UInt64 = 0
    }

    /// The maximum number of flows.
    public let capacity: Int
    /// The time for which a flow is kept after its last update.
    public let lifetimeNanoseconds: Int64
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
        var lastUpdate: Int64
        /// The adjacent entries in order of their last updates.
        var older: Int?
        var newer: Int?

        func otherSide(of tuple: FlowTuple) -> FlowTuple { tuple == original ? translated : original }
    }

    private var entries: [Entry] = []
    private var free: [Int] = []
    private var places: [Key: Int] = [:]
    private var oldest: Int?
    private var newest: Int?

    /// Creates an empty cache.
    ///
    /// - Parameters:
    ///   - capacity: the maximum number of flows, at least 1.
    ///   - lifetimeNanoseconds: the time for which a flow is kept after its last update.
    public init(capacity: Int = 65536, lifetimeNanoseconds: Int64 = 600_000_000_000) {
        self.capacity = max(1, capacity)
        self.lifetimeNanoseconds = lifetimeNanoseconds
    }

    /// The number of flows in the cache.
    public var count: Int { entries.count - free.count }

    /// Records an event.
    ///
    /// - Parameter now: the time of a clock that never steps, in nanoseconds.
    public mutating func record(_ event: borrowing FlowEvent, at now: Int64) {
        if event.kind == .destroy { remove(event.flow) } else { record(event.flow, at: now) }
    }

    /// Records a flow from a table or an event.
    public mutating func record(_ flow: borrowing Flow, at now: Int64) {
        expire(at: now)
        let place = Place(of: flow)
        let (original, translated) = (flow.original, flow.translated)
        if let old = places[Key(place: place, tuple: original)] {
            if entries[old].original == original, entries[old].translated == translated {
                entries[old].id = flow.id
                entries[old].lastUpdate = now
                unlink(old)
                link(old)
                return
            }
            drop(old)
        }
        // The translated tuple may have belonged to another flow before.
        if let old = places[Key(place: place, tuple: translated)] { drop(old) }
        guard original != translated else { return }
        if count >= capacity, let oldest {
            drop(oldest)
            counters.evicted += 1
        }
        insert(
            Entry(place: place, original: original, translated: translated, id: flow.id, lastUpdate: now))
    }

    /// Removes a flow that has ended. A flow with another id, which has replaced it, is kept.
    public mutating func remove(_ flow: borrowing Flow) {
        guard let index = places[Key(place: Place(of: flow), tuple: flow.original)] else { return }
        if let id = flow.id, let known = entries[index].id, id != known { return }
        drop(index)
    }

    /// Looks up the tuple that packets have on the other side of the NAT, in the same direction.
    ///
    /// - Parameters:
    ///   - tuple: the tuple of packets of either direction, before or after translation.
    ///   - place: the namespace and zone of the tuple.
    ///   - now: the time, of the same clock as in ``record(_:at:)``.
    /// - Returns: the tuple on the other side; `nil` if no translated flow is known.
    public mutating func otherSide(of tuple: FlowTuple, in place: Place = Place(), at now: Int64) -> FlowTuple? {
        expire(at: now)
        if let index = places[Key(place: place, tuple: tuple)] {
            counters.hits += 1
            return entries[index].otherSide(of: tuple)
        }
        let inverse = tuple.inverted
        if let index = places[Key(place: place, tuple: inverse)] {
            counters.hits += 1
            return entries[index].otherSide(of: inverse).inverted
        }
        counters.misses += 1
        return nil
    }

    // MARK: - The entries and their order

    private mutating func expire(at now: Int64) {
        while let oldest, now - entries[oldest].lastUpdate > lifetimeNanoseconds {
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

    /// Makes an entry the newest.
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
    /// A flow whose directions are in different zones is cached under the original direction's zone.
    fileprivate init(of flow: borrowing Flow) {
        let (both, original) = (flow.zone, flow.originalZone)
        self.init(namespaceID: flow.namespaceID, zone: both ?? original ?? 0)
    }
}
