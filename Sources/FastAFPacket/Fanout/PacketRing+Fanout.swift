import LinuxKernel

extension PacketRing {
    /// Joins a group of sockets that share what the interface receives, or opens it: as ``PacketConn/joinFanout(_:)``.
    ///
    /// Packets that are in the ring already stay.
    @discardableResult
    public func joinFanout(_ fanout: Fanout) throws(SystemError) -> Fanout {
        do throws(SystemError) { return try socket.join(fanout) } catch { throw unlessClosed(error) }
    }

    /// Lets a classic BPF program choose the group's sockets: as ``PacketConn/setFanoutFilter(_:)``.
    public func setFanoutFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) { try socket.setFanoutFilter(filter) } catch { throw unlessClosed(error) }
    }

    /// Lets an eBPF program choose them: as ``PacketConn/setFanoutProgram(_:)``.
    public func setFanoutProgram(_ program: borrowing SocketFilterProgram) throws(SystemError) {
        do throws(SystemError) { try socket.setFanoutProgram(program) } catch { throw unlessClosed(error) }
    }
}
