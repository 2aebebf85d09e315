import LinuxKernel

extension PacketConn {
    /// Joins the receive half to a group of sockets that share what the interface receives, or opens the group.
    ///
    /// Packets that were received before stay with this connection.
    ///
    /// - Returns: the group with its id, for others to join.
    /// - Throws: `SystemError`: EALREADY in a group already, ENOSPC in a full group (256), EINVAL where algorithm, flags,
    ///   interface or ethertype differ from the group's, EBADF once closed. Source: PACKET_FANOUT in packet(7).
    @discardableResult
    public func joinFanout(_ fanout: Fanout) throws(SystemError) -> Fanout {
        do throws(SystemError) { return try receiver.join(fanout) } catch { throw unlessClosed(error) }
    }

    /// Lets a classic BPF program choose the sockets of this connection's group: what it returns, modulo the number of
    /// members, in the order in which they joined. One that leaves is replaced by the last. Until a program is set every
    /// packet goes to the first member.
    ///
    /// Its offsets count from behind the Ethernet header, as a received packet comes: not as in ``setFilter(_:)`` and in
    /// pcap-filter(7) expressions. The header is at SKF_LL_OFF. Source: PACKET_FANOUT_DATA in packet(7).
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel refuses, or outside of a group with the algorithm
    ///   ``Fanout/Algorithm/filter``; EBADF once closed.
    public func setFanoutFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) { try receiver.setFanoutFilter(filter) } catch { throw unlessClosed(error) }
    }

    /// As ``setFanoutFilter(_:)`` with an eBPF program, which the kernel keeps.
    ///
    /// - Throws: `SystemError` EINVAL outside of a group with the algorithm ``Fanout/Algorithm/program``; EBADF once
    ///   closed.
    public func setFanoutProgram(_ program: borrowing SocketFilterProgram) throws(SystemError) {
        do throws(SystemError) { try receiver.setFanoutProgram(program) } catch { throw unlessClosed(error) }
    }

    /// EBADF once the connection is closed: what stands in its socket's place then gives other errors.
    func unlessClosed(_ error: SystemError) -> SystemError { isOpen ? error : Self.closedError(error.operation) }
}
