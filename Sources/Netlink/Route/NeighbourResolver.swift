import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

/// Triggers the kernel's resolution of a next hop's MAC address by sending it an ordinary packet.
///
/// Source: arp(7), RFC 4861 section 7.2; RTNLGRP_NEIGH in rtnetlink(7).
public final class NeighbourResolver {
    /// A resolved neighbour.
    public struct Resolution: Hashable, Sendable {
        public var neighbour: Neighbour
        public var macAddress: MACAddress
        /// True if the table already had an entry, usable or not. If `false`,
        /// ``NetlinkConnection/deleteNeighbour(_:on:)`` restores the previous state.
        public var existedBefore: Bool
    }

    private let address: IPAddress
    private let interface: Interface
    private let connection: NetlinkConnection
    private let listener: NetlinkConnection
    private let trigger: ResolutionTrigger

    /// Opens the sockets in the calling thread's network namespace, which must be the interface's.
    ///
    /// - Parameters:
    ///   - address: the next hop, on the interface's link.
    ///   - interface: the interface through which to reach it.
    /// - Throws: ``SystemError`` if a socket can't be opened or bound to the interface (CAP_NET_RAW before 5.7).
    public init(for address: IPAddress, on interface: Interface) throws(SystemError) {
        self.address = address
        self.interface = interface
        connection = try NetlinkConnection()
        listener = try NetlinkConnection()
        trigger = try ResolutionTrigger(isIPv4: address.isIPv4, on: interface)
        try listener.join(group: RTNLGRP_NEIGH.rawValue)
    }

    /// Resolves the neighbour's MAC address. A known address is returned at once; otherwise a
    /// ``ResolutionTrigger`` has the kernel ask for it, and the result is awaited.
    ///
    /// - Throws: ``NeighbourError/noAnswer(_:interface:existedBefore:)`` after the timeout, or when the kernel gives
    ///   up.
    public func resolve(timeoutNanoseconds: Int64 = 1_000_000_000) throws(NeighbourError) -> Resolution {
        let deadline = ClockID.monotonic.now() &+ timeoutNanoseconds
        let before = try entry()
        let existedBefore = before != nil
        if let found = resolution(before, existedBefore) { return found }
        try revalidate()
        while true {
            // A notification only wakes this loop, which reads the table: lost and outdated ones do no harm.
            let now = try entry()
            if let found = resolution(now, existedBefore) { return found }
            if now?.state == .failed { break }
            guard try waitForChange(until: deadline) else { break }
        }
        throw .noAnswer(address, interface: interface.name, existedBefore: existedBefore)
    }

    private func resolution(_ neighbour: Neighbour?, _ existedBefore: Bool) -> Resolution? {
        guard let neighbour, neighbour.isUsable, let macAddress = neighbour.macAddress else { return nil }
        return Resolution(neighbour: neighbour, macAddress: macAddress, existedBefore: existedBefore)
    }

    private func entry() throws(NeighbourError) -> Neighbour? {
        do throws(NetlinkError) {
            return try connection.neighbour(address, on: interface.index)
        } catch {
            throw .netlink(error)
        }
    }

    /// Waits for a notification of this neighbour; returns `false` if the deadline passed.
    private func waitForChange(until deadline: Int64) throws(NeighbourError) -> Bool {
        do throws(NetlinkError) {
            while let datagram = try listener.receive("wait for the neighbour", until: deadline) {
                var messages = datagram.messages
                while let message = messages.next() {
                    let changed = (try? Neighbour(message)) ?? nil
                    if changed?.address == address, changed?.interfaceIndex == interface.index { return true }
                }
            }
            return false
        } catch  where error.code == ENOBUFS {
            return true
        } catch {
            throw .netlink(error)
        }
    }

    /// Triggers revalidation of a stale neighbour: sends the packet and does not wait. The kernel probes the neighbour
    /// some seconds later (delay_first_probe_time in arp(7)).
    ///
    /// - Throws: ``NeighbourError/system(_:)`` if the packet can't be sent.
    public func revalidate() throws(NeighbourError) {
        do throws(SystemError) {
            try trigger.send(to: address)
        } catch {
            throw .system(error)
        }
    }
}

/// A failure to resolve a neighbour's MAC address.
public enum NeighbourError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The neighbour did not answer. `existedBefore` is true if the table already had an entry.
    case noAnswer(IPAddress, interface: String, existedBefore: Bool)
    case netlink(NetlinkError)
    case system(SystemError)

    public var description: String {
        switch self {
        case .noAnswer(let address, let interface, _):
            "no answer to \(address.isIPv4 ? "ARP" : "neighbour solicitation") from \(address) on \(interface): "
                + "check that the peer is up and on this link. `ip neigh show dev \(interface)` shows its entry."
        case .netlink(let error): error.description
        case .system(let error): error.description
        }
    }
}
