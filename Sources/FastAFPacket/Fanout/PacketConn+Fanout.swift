import LinuxKernel

extension PacketConn {
    /// Joins the receive half to a group of sockets that share the interface's traffic, or opens the group.
    ///
    /// Packets already received stay with this connection.
    ///
    /// - Returns: the group with its id, for others to join.
    /// - Throws: `SystemError`: EALREADY if already in a group, ENOSPC if the group is full (256 members), EINVAL if
    ///   algorithm, flags, interface or ethertype differ from the group's, EBADF once closed. Source: PACKET_FANOUT in
    ///   packet(7).
    @discardableResult
    public func joinFanout(_ fanout: Fanout) throws(SystemError) -> Fanout {
        do throws(SystemError) { return try receiver.join(fanout) } catch { throw unlessClosed(error) }
    }

    /// Sets the classic BPF program that chooses among the sockets of this connection's group. Its result, modulo the
    /// number of members, is the member's index in the order of joining; the last member replaces one that leaves.
    /// Until a program is set every packet goes to the first member.
    ///
    /// Offsets count from the end of the Ethernet header, unlike those in ``setFilter(_:)`` and in pcap-filter(7)
    /// expressions. The header is at SKF_LL_OFF. Source: PACKET_FANOUT_DATA in packet(7).
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel rejects, or outside a group with the algorithm
    ///   ``Fanout/Algorithm/filter``; EBADF once closed.
    public func setFanoutFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) { try receiver.setFanoutFilter(filter) } catch { throw unlessClosed(error) }
    }

    /// Sets the eBPF program that chooses among the group's sockets, as ``setFanoutFilter(_:)`` does. The kernel keeps
    /// a reference to it.
    ///
    /// - Throws: `SystemError` EINVAL outside a group with the algorithm ``Fanout/Algorithm/program``; EBADF once
    ///   closed.
    public func setFanoutProgram(_ program: borrowing SocketFilterProgram) throws(SystemError) {
        do throws(SystemError) { try receiver.setFanoutProgram(program) } catch { throw unlessClosed(error) }
    }

    /// EBADF once the connection is closed, because its replaced descriptor returns other errors.
    func unlessClosed(_ error: SystemError) -> SystemError { isOpen ? error : Self.closedError(error.operation) }
}
