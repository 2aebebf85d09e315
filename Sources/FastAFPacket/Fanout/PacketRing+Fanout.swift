import LinuxKernel

extension PacketRing {
    /// Joins a group of sockets that share the interface's traffic, or opens the group, as
    /// ``PacketConn/joinFanout(_:)`` does.
    ///
    /// Packets already in the ring stay.
    @discardableResult
    public func joinFanout(_ fanout: Fanout) throws(SystemError) -> Fanout {
        do throws(SystemError) { return try socket.join(fanout) } catch { throw unlessClosed(error) }
    }

    /// Sets the classic BPF program that chooses among the group's sockets, as ``PacketConn/setFanoutFilter(_:)`` does.
    public func setFanoutFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) { try socket.setFanoutFilter(filter) } catch { throw unlessClosed(error) }
    }

    /// Sets the eBPF program that chooses among the group's sockets, as ``PacketConn/setFanoutProgram(_:)`` does.
    public func setFanoutProgram(_ program: borrowing SocketFilterProgram) throws(SystemError) {
        do throws(SystemError) { try socket.setFanoutProgram(program) } catch { throw unlessClosed(error) }
    }
}
