import CLinux
import Glibc
import LinuxKernel

extension NetlinkConnection {
    /// Joins a multicast group of the family. Some need CAP_NET_ADMIN (EPERM).
    ///
    /// Source: NETLINK_ADD_MEMBERSHIP in netlink(7).
    public func join(group: UInt32) throws(SystemError) {
        try set(NETLINK_ADD_MEMBERSHIP, to: Int32(bitPattern: group), "join the netlink group")
    }

    /// Leaves a multicast group. What it has sent already still comes.
    public func leave(group: UInt32) throws(SystemError) {
        try set(NETLINK_DROP_MEMBERSHIP, to: Int32(bitPattern: group), "leave the netlink group")
    }

    /// Hears notifications of every namespace that has a number in this one (`ip netns set NAME auto` gives one), and
    /// of its own. Needs CAP_NET_BROADCAST, as root has.
    ///
    /// Source: NETLINK_LISTEN_ALL_NSID in netlink(7).
    public func listenToAllNamespaces() throws(SystemError) {
        do throws(SystemError) {
            try set(NETLINK_LISTEN_ALL_NSID, to: 1, "listen to all network namespaces")
        } catch  where error.code == EPERM {
            throw error.advising("Run as root, or grant CAP_NET_BROADCAST with `setcap`.")
        }
    }

    /// No error for lost notifications: ``drops()`` alone tells of them. Source: NETLINK_NO_ENOBUFS in netlink(7).
    public func ignoreOverruns() throws(SystemError) {
        try set(NETLINK_NO_ENOBUFS, to: 1, "ignore overruns")
    }

    /// Asks for a receive buffer of `bytes`, past the system's limit where the process may (CAP_NET_ADMIN).
    ///
    /// - Returns: the size that the kernel granted, in bytes, bookkeeping included (it doubles what is asked for).
    public func setReceiveBuffer(_ bytes: Int) throws(SystemError) -> Int {
        Int(
            try transport.withSocket { socket throws(SystemError) in
                try socket.growReceiveBuffer(to: Int32(clamping: bytes))
            } ?? 0)
    }

    /// Lets only those notifications and answers through for which a classic BPF program returns more than 0.
    ///
    /// It sees each message from its netlink header on. Source: SO_ATTACH_FILTER in socket(7).
    /// - Throws: ``SystemError`` EINVAL for a program that the kernel refuses.
    public func attach(_ filter: [FilterInstruction]) throws(SystemError) {
        _ = try transport.withSocket { socket throws(SystemError) in try socket.set(filter, "attach the filter") }
    }

    /// The same by a loaded eBPF program. Source: SO_ATTACH_BPF in socket(7).
    public func attach(_ program: borrowing SocketFilterProgram) throws(SystemError) {
        let number = program.descriptor.rawValue
        _ = try transport.withSocket { socket throws(SystemError) in
            try socket.setOption("attach the eBPF program", level: SOL_SOCKET, name: SO_ATTACH_BPF, to: number)
        }
    }

    /// Lets everything through again; no fault where there is no filter.
    public func detachFilter() throws(SystemError) {
        _ = try transport.withSocket { socket throws(SystemError) in
            do throws(SystemError) {
                try socket.setOption("detach the filter", level: SOL_SOCKET, name: SO_DETACH_FILTER, to: Int32(0))
            } catch  where error.code == ENOENT {
                return
            }
        }
    }

    /// How many notifications this socket has lost since it was opened, each counted once, because its buffer was full
    /// or the kernel had no memory. Wraps around after 2^32.
    ///
    /// Source: SK_MEMINFO_DROPS of SO_MEMINFO, Linux 4.12; netlink_overrun in net/netlink/af_netlink.c.
    public func drops() throws(SystemError) -> UInt32 {
        try transport.withSocket { socket throws(SystemError) in
            try socket.option(
                "read what was dropped", level: SOL_SOCKET, name: CL_SO_MEMINFO,
                initial: InlineArray<9, UInt32>(repeating: 0))[8]
        } ?? 0
    }

    private func set(_ option: Int32, to value: Int32, _ operation: StaticString) throws(SystemError) {
        _ = try transport.withSocket { socket throws(SystemError) in
            try socket.setOption(operation, level: CL_SOL_NETLINK, name: option, to: value)
        }
    }
}
