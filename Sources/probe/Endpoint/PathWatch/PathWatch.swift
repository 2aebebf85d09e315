import LinuxKernel
import Netlink
import NetworkAddresses

/// Follows the paths to a run's peers through one interface, and the interface itself, by the kernel's notifications.
///
/// It runs on a separate thread, which sleeps while nothing changes:
///
///     let watch = try PathWatch(interface, peers: peers, reports)
///     async let followed = PacketThread.run(named: "probe-path") { watch.run() }
///     …
///     watch.stop.raise()
///
/// A changed neighbour entry updates the peers with that next hop at once, without a system call. After a changed
/// route, rule, next-hop object, address or link, the routes of all peers are looked up again: the first time at once,
/// then every 100 ms at most, and in a tenth of the thread's time at most.
///
/// The kernel does not report everything. Every 10 s the routes are looked up without a notification, because redirects
/// (ICMP) and sysctls also change next hops, and next hops without a usable neighbour entry are resolved again: frames
/// sent through packet sockets do not use the entry, so the kernel may remove it, and then it also ignores a gratuitous
/// ARP.
struct PathWatch: Sendable {
    /// A peer whose next hop is followed, unless the user has set its MAC address.
    struct Peer: Sendable {
        var address: IPAddress
        var overrides = PeerPath.Overrides()
    }

    /// The closures that receive changes. The watch's thread calls them: for each value that is known at the start, and
    /// then when it changes.
    struct Reports: Sendable {
        /// Receives a peer's index and the MAC address of its next hop.
        var nextHop: @Sendable (Int, MACAddress) -> Void = { _, _ in }
        /// Receives the interface's addresses, which may be none.
        var addresses: @Sendable ([IPAddress]) -> Void = { _ in }
        /// Receives the interface's state; nil if it was deleted, or moved to another network namespace.
        var link: @Sendable (Link?) -> Void = { _ in }
    }

    /// The work that a watch has done.
    struct Result: Sendable {
        /// The times that all peers' routes and the interface's addresses were read.
        var refreshes = 0
        /// The route lookups of single peers.
        var lookups = 0
        /// The times that notifications other than those of routes were lost, and every table was read again.
        var losses = 0
        /// The error that ended the watch before it was stopped.
        var failure: NetlinkError?
    }

    /// The signal that ends ``run()``.
    let stop: StopSignal
    private let listener: Handoff<PathListener>
    private let reminder: PathReminder

    /// Subscribes to changes. No change from then on is missed.
    ///
    /// The sockets are opened in the calling thread's network namespace, which must be the interface's.
    /// - Parameters:
    ///   - receiveBuffer: the size of the receive buffer for changes other than those of routes, in bytes.
    ///   - retryInterval: the time after which routes are looked up without a notification, in nanoseconds.
    /// - Throws: ``ProbeError`` if a socket cannot be opened.
    init(
        _ interface: Interface, peers: [Peer] = [], receiveBuffer: Int = 1 << 20,
        retryInterval: Int64 = PathListener.retryInterval, _ reports: Reports
    ) throws(ProbeError) {
        do throws(SystemError) {
            stop = try StopSignal()
            reminder = try PathReminder(interface, peers: peers.count)
            listener = Handoff(
                try PathListener(
                    interface, peers, receiveBuffer: receiveBuffer, retryInterval: retryInterval, reports, reminder,
                    stop))
        } catch {
            throw .system(error)
        }
    }

    /// Follows changes until it is stopped. Call it once.
    func run() -> Result {
        var listener = listener.take()
        return listener?.run() ?? Result()
    }

    /// Has the kernel revalidate the next hops of peers that do not reply, for any thread. Call it at most once a
    /// second.
    ///
    /// The kernel sees no replies to raw frames, so without this it would keep the old MAC address of a next hop that
    /// was replaced. It probes a stale neighbour a few seconds later (delay_first_probe_time in arp(7)); the answer
    /// arrives as a change.
    func remind(_ peers: some Sequence<Int>) { reminder.remind(peers) }
}
