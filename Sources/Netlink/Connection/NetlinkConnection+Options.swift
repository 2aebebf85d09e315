import CLinux
import Glibc
import LinuxKernel

extension NetlinkConnection {
    /// Joins a multicast group of the family. Some groups need CAP_NET_ADMIN (EPERM without it).
    ///
    /// Source: NETLINK_ADD_MEMBERSHIP in netlink(7).
    public func join(group: UInt32) throws(SystemError) {
        try set(NETLINK_ADD_MEMBERSHIP, to: Int32(bitPattern: group), "join the netlink group")
    }

    /// Leaves a multicast group. Notifications that are already queued still arrive.
    public func leave(group: UInt32) throws(SystemError) {
        try set(NETLINK_DROP_MEMBERSHIP, to: Int32(bitPattern: group), "leave the netlink group")
    }

    /// Receives notifications from this namespace and from every namespace that has an id in it
    /// (`ip netns set NAME auto` assigns one). Needs CAP_NET_BROADCAST, which root has.
    ///
    /// Source: NETLINK_LISTEN_ALL_NSID in netlink(7).
    public func listenToAllNamespaces() throws(SystemError) {
        do throws(SystemError) {
            try set(NETLINK_LISTEN_ALL_NSID, to: 1, "listen to all network namespaces")
        } catch  where error.code == EPERM {
            throw error.advising("Run as root, or grant CAP_NET_BROADCAST with `setcap`.")
        }
    }

    /// Suppresses the ENOBUFS error for lost notifications; ``drops()`` still counts them.
    ///
    /// Source: NETLINK_NO_ENOBUFS in netlink(7).
    public func ignoreOverruns() throws(SystemError) {
        try set(NETLINK_NO_ENOBUFS, to: 1, "suppress ENOBUFS")
    }

    /// Requests a receive buffer of `bytes`, above net.core.rmem_max if the process has CAP_NET_ADMIN.
    ///
    /// - Returns: the size that the kernel granted, in bytes. It includes bookkeeping: the kernel doubles the request.
    public func setReceiveBuffer(_ bytes: Int) throws(SystemError) -> Int {
        Int(
            try transport.withSocket { socket throws(SystemError) in
                try socket.growReceiveBuffer(to: Int32(clamping: bytes))
            } ?? 0)
    }

    /// Attaches a classic BPF program, which passes the notifications and answers for which it returns more than 0.
    ///
    /// The program sees each datagram from its netlink header. Source: SO_ATTACH_FILTER in socket(7).
    /// - Throws: ``SystemError`` EINVAL for a program that the kernel rejects.
    public func attach(_ filter: [FilterInstruction]) throws(SystemError) {
        _ = try transport.withSocket { socket throws(SystemError) in try socket.set(filter, "attach the filter") }
    }

    /// Attaches a loaded eBPF program in the same way. Source: SO_ATTACH_BPF in socket(7).
    public func attach(_ program: borrowing SocketFilterProgram) throws(SystemError) {
        let number = program.descriptor.rawValue
        _ = try transport.withSocket { socket throws(SystemError) in
            try socket.setOption("attach the eBPF program", level: SOL_SOCKET, name: SO_ATTACH_BPF, to: number)
        }
    }

    /// Removes the filter. Without one, this does nothing.
    public func detachFilter() throws(SystemError) {
        _ = try transport.withSocket { socket throws(SystemError) in
            do throws(SystemError) {
                try socket.setOption("detach the filter", level: SOL_SOCKET, name: SO_DETACH_FILTER, to: Int32(0))
            } catch  where error.code == ENOENT {
                return
            }
        }
    }

    /// Reads the number of notifications that this socket has lost since it was opened, because its buffer was full or
    /// the kernel had no memory. Each is counted once; the counter wraps at 2^32.
    ///
    /// Source: SK_MEMINFO_DROPS of SO_MEMINFO, Linux 4.12; netlink_overrun in net/netlink/af_netlink.c.
    public func drops() throws(SystemError) -> UInt32 {
        try transport.withSocket { socket throws(SystemError) in
            try socket.option(
                "read the drop counter", level: SOL_SOCKET, name: CL_SO_MEMINFO,
                initial: InlineArray<9, UInt32>(repeating: 0))[8]
        } ?? 0
    }

    private func set(_ option: Int32, to value: Int32, _ operation: StaticString) throws(SystemError) {
        _ = try transport.withSocket { socket throws(SystemError) in
            try socket.setOption(operation, level: CL_SOL_NETLINK, name: option, to: value)
        }
    }
}
