import LinuxKernel
import Netlink
import NetworkAddresses
import Synchronization

/// The current next hop of each peer, and the means to have the kernel resolve or revalidate its MAC address. For any
/// number of threads.
final class PathReminder: Sendable {
    private let nextHops: Mutex<[IPAddress?]>
    private let ipv4: ResolutionTrigger
    private let ipv6: ResolutionTrigger?

    /// Opens the sockets in the calling thread's network namespace, which must be the interface's.
    init(_ interface: Interface, peers count: Int) throws(SystemError) {
        nextHops = Mutex(Array(repeating: nil, count: count))
        ipv4 = try ResolutionTrigger(isIPv4: true, on: interface)
        do throws(SystemError) {
            ipv6 = try ResolutionTrigger(isIPv4: false, on: interface)
        } catch {
            // Without IPv6 in the kernel there are no IPv6 next hops.
            guard error.code == ErrorCode.familyUnsupported else { throw error }
            ipv6 = nil
        }
    }

    func set(_ nextHop: IPAddress, of peer: Int) { nextHops.withLock { $0[peer] = nextHop } }

    /// Has the kernel resolve or revalidate the next hops of some peers, each next hop once.
    ///
    /// The order is random: while many next hops do not answer, the socket's send buffer may hold only some of the
    /// datagrams, and each is to get its turn.
    func remind(_ peers: some Sequence<Int>) {
        let due = nextHops.withLock { nextHops in
            Set(peers.compactMap { nextHops.indices.contains($0) ? nextHops[$0] : nil })
        }
        for nextHop in due.shuffled() { resolve(nextHop) }
    }

    /// Has the kernel resolve or revalidate one next hop, as far as it can: a datagram that cannot be sent is not
    /// missed, because the caller retries.
    func resolve(_ nextHop: IPAddress) {
        if nextHop.isIPv4 { try? ipv4.send(to: nextHop) } else { try? ipv6?.send(to: nextHop) }
    }
}
