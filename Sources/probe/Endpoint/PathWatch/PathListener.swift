import LinuxKernel
import Netlink
import NetworkAddresses

/// Receives the kernel's changes for ``PathWatch``, on its thread.
///
/// Routes have a subscription of their own, which is read only when the next lookups are due: however many routes change
/// until then, the kernel keeps a few notifications and drops the rest, and the others are not delayed.
struct PathListener: ~Copyable {
    private let interface: Interface
    private let peers: [PathWatch.Peer]
    private let reports: PathWatch.Reports
    private let reminder: PathReminder
    private let stop: StopSignal
    private let connection: NetlinkConnection
    private let changes: RouteChanges
    /// The changes of routes; nil if no peer has a route to follow.
    private let routeChanges: RouteChanges?
    /// The time after which the tables are read without a change, in nanoseconds; nil if no peer is followed.
    private let retryInterval: Int64?

    private var table: PathTable
    /// The interface's state, nil once it is deleted; nil before the first reading.
    private var link: Link??
    private var addresses: [IPAddress]?
    private var result = PathWatch.Result()

    /// True if a change was reported since the last lookups began.
    private var hasChanged = true
    /// True if the tables are to be read again.
    private var isDue = true
    /// True if changes of neighbours and the link may have been lost.
    private var hasLost = true
    /// The earliest time of the next lookups after a change, in CLOCK_MONOTONIC nanoseconds.
    private var earliest: Int64 = 0
    /// The time of the next lookups without a change, in CLOCK_MONOTONIC nanoseconds.
    private var nextRetry: Int64 = 0

    /// The shortest time between two readings of the tables, in nanoseconds.
    private static let interval: Int64 = 100_000_000
    static let retryInterval: Int64 = 10_000_000_000
    /// The part of its time that the thread may read the tables.
    private static let largestShare: Int64 = 10
    /// The receive buffer for changes of routes, in bytes. One that is full is as good as one notification.
    private static let routeBuffer = 4096

    init(
        _ interface: Interface, _ peers: [PathWatch.Peer], receiveBuffer: Int, retryInterval: Int64,
        _ reports: PathWatch.Reports, _ reminder: PathReminder, _ stop: StopSignal
    ) throws(SystemError) {
        let followed = peers.filter { $0.overrides.macAddress == nil }
        let hasRoutes = followed.contains { $0.overrides.nextHop == nil }
        let changes = try RouteChanges([.neighbours, .addresses, .links], receiveBuffer: receiveBuffer)
        let routeChanges = hasRoutes ? try RouteChanges(.routes, receiveBuffer: Self.routeBuffer) : nil
        let connection = try NetlinkConnection()
        self.changes = changes
        self.routeChanges = routeChanges
        self.connection = connection
        self.interface = interface
        self.peers = peers
        self.reports = reports
        self.reminder = reminder
        self.stop = stop
        self.retryInterval = followed.isEmpty ? nil : retryInterval
        table = PathTable(peers: peers.count)
    }

    /// Follows changes until it is stopped.
    mutating func run() -> PathWatch.Result {
        do throws(NetlinkError) {
            while !stop.isRaised {
                if ClockID.monotonic.now() >= deadline { try refresh() }
                try wait()
                _ = try changes.receive(until: 0) { handle($0) }
                if !isDue, try routeChanges?.receive(until: 0, { _ in }) == true { setChanged() }
            }
        } catch {
            result.failure = error
        }
        return result
    }

    /// The time to read the tables again, in CLOCK_MONOTONIC nanoseconds.
    private var deadline: Int64 { isDue ? earliest : max(earliest, nextRetry) }

    private func wait() throws(NetlinkError) {
        // While lookups are due anyway, further changes of routes need no attention.
        let subscriptions = isDue ? [changes] : [changes] + [routeChanges].compactMap(\.self)
        do throws(SystemError) {
            try RouteChanges.wait(for: subscriptions, or: stop.signal, until: deadline)
        } catch {
            throw NetlinkError("wait for changes", .socket(error))
        }
    }

    private mutating func handle(_ change: RouteChange) {
        switch change {
        case .neighbour(let neighbour): update(neighbour.address, neighbour.interfaceIndex, to: neighbour)
        case .neighbourRemoved(let neighbour): update(neighbour.address, neighbour.interfaceIndex, to: nil)
        case .link(let new):
            if new.index == interface.index { set(new) }
            // The kernel removes the routes of an interface that is down without a notification.
            setChanged()
        case .linkRemoved(let old):
            if old.index == interface.index { set(nil) }
            setChanged()
        case .address, .addressRemoved, .routes: setChanged()
        case .everything:
            result.losses += 1
            hasLost = true
            setChanged()
        }
    }

    private mutating func update(_ address: IPAddress, _ interfaceIndex: Int32, to neighbour: Neighbour?) {
        guard interfaceIndex == interface.index else { return }
        // Of several routers the kernel prefers one that answers (RFC 4191, fib_multipath_use_neigh in ip-sysctl).
        if table.update(address, to: neighbour, reports.nextHop) { setChanged() }
    }

    private mutating func set(_ new: Link?) {
        guard link != .some(new) else { return }
        link = .some(new)
        reports.link(new)
    }

    private mutating func setChanged() {
        hasChanged = true
        isDue = true
    }

    // MARK: - Reading the kernel's tables

    /// Reads the tables, and schedules another reading if something has changed since the last one: the kernel reports
    /// some changes before it makes them, and addresses and links before the routes that depend on them.
    private mutating func refresh() throws(NetlinkError) {
        let start = ClockID.monotonic.now()
        // What these report is looked up now. A few rounds are enough: what remains is read after the lookups.
        for _ in 0..<4 where try routeChanges?.receive(until: 0, { _ in }) == true { hasChanged = true }
        isDue = hasChanged
        hasChanged = false
        result.refreshes += 1
        if hasLost { readLink() }
        readAddresses()
        readRoutes()
        if hasLost { for nextHop in table.nextHops { readNeighbour(nextHop) } }
        hasLost = false
        if start >= nextRetry {
            for nextHop in table.unusableHops { resolve(nextHop) }
            nextRetry = retryInterval.map { start + $0 } ?? .max
        }
        let end = ClockID.monotonic.now()
        earliest = max(start + Self.interval, end + (end - start) * (Self.largestShare - 1))
    }

    private mutating func readLink() {
        do throws(NetlinkError) {
            set(try connection.link(interface.index))
        } catch  where error.code == ErrorCode.noDevice {
            set(nil)
        } catch {
            // The last state holds until the next change.
        }
    }

    private mutating func readAddresses() {
        guard let found = try? connection.addresses(on: interface.index).map(\.address), found != addresses
        else { return }
        addresses = found
        reports.addresses(found)
    }

    private mutating func readRoutes() {
        for (index, peer) in peers.enumerated() where peer.overrides.macAddress == nil {
            guard let nextHop = peer.overrides.nextHop ?? routedHop(to: peer.address) else { continue }
            reminder.set(nextHop, of: index)
            if table.move(index, to: nextHop, reports.nextHop) { resolve(nextHop) }
        }
    }

    /// The next hop of the route through the interface; nil without one.
    private mutating func routedHop(to peer: IPAddress) -> IPAddress? {
        result.lookups += 1
        guard let route = try? connection.route(to: peer, through: interface.index), route.kind == .unicast,
            route.interfaceIndex == interface.index
        else { return nil }
        return route.gateway ?? peer
    }

    /// Reads a next hop's neighbour entry, and returns whether it is usable.
    @discardableResult
    private mutating func readNeighbour(_ nextHop: IPAddress) -> Bool {
        let entry = (try? connection.neighbour(nextHop, on: interface.index)) ?? nil
        _ = table.update(nextHop, to: entry, reports.nextHop)
        return entry?.isUsable == true
    }

    /// Reads a next hop's neighbour entry, and has the kernel resolve it if it is not usable.
    private mutating func resolve(_ nextHop: IPAddress) {
        if readNeighbour(nextHop) { return }
        reminder.resolve(nextHop)
        // An entry that needs no resolution (NOARP) exists now, without a notification.
        readNeighbour(nextHop)
    }
}
