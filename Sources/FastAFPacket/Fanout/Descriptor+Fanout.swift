import CLinux
import Glibc
import LinuxKernel

extension Descriptor {
    /// Joins a bound packet socket to a group, or creates the group.
    ///
    /// - Returns: the group with its id.
    /// - Throws: `SystemError`: EALREADY if already in a group, ENOSPC if the group is full, EINVAL if the members
    ///   differ.
    package func join(_ fanout: Fanout) throws(SystemError) -> Fanout {
        // The kernel would treat the socket as different from the group's members.
        if fanout.algorithm == .rollover, fanout.flags.contains(.rollover) {
            throw SystemError(
                "join the fanout group", code: EINVAL,
                remedy: "The algorithm rolls over without the flag: leave the flag out.")
        }
        let flags = fanout.flags.rawValue | (fanout.id == nil ? UInt16(PACKET_FANOUT_FLAG_UNIQUEID) : 0)
        let type = UInt32(fanout.algorithm.rawValue) | UInt32(flags)
        do throws(SystemError) {
            try setOption(
                "join the fanout group", level: CL_SOL_PACKET, name: PACKET_FANOUT,
                to: UInt32(fanout.id ?? 0) | type << 16)
        } catch {
            throw Self.explain(error, fanout)
        }
        let value = try option("read the fanout group", level: CL_SOL_PACKET, name: PACKET_FANOUT, initial: UInt32(0))
        return Fanout(fanout.algorithm, flags: fanout.flags, id: UInt16(truncatingIfNeeded: value))
    }

    private static func explain(_ error: SystemError, _ fanout: Fanout) -> SystemError {
        switch error.code {
        case EALREADY:
            error.advising("A socket can join only one group: open another connection for another group.")
        case ENOSPC:
            error.advising("The group is full: open another, with id nil.")
        case EINVAL where fanout.id != nil:
            error.advising(
                "All members of a group have the same algorithm, flags, interface and ethertype: join with the value "
                    + "that joinFanout returned for the first member, on its interface, or open another group with id "
                    + "nil. The interface must be up.")
        case EINVAL:
            error.advising("The socket must be bound, and its interface up.")
        default:
            error
        }
    }

    /// Sets the classic BPF program that chooses among the sockets of this socket's group.
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel rejects, or outside such a group.
    package func setFanoutFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) {
            try set(
                filter.instructions, "set the fanout group's filter", level: CL_SOL_PACKET, name: PACKET_FANOUT_DATA)
        } catch  where error.code == EINVAL && error.remedy == nil {
            throw error.advising("The socket must be in a group whose algorithm is filter, and the program valid.")
        }
    }

    /// Sets the eBPF program that chooses among the sockets of this socket's group; the kernel keeps a reference to it.
    package func setFanoutProgram(_ program: borrowing SocketFilterProgram) throws(SystemError) {
        do throws(SystemError) {
            try setOption(
                "set the fanout group's program", level: CL_SOL_PACKET, name: PACKET_FANOUT_DATA,
                to: program.descriptor.rawValue)
        } catch  where error.code == EINVAL {
            throw error.advising("The socket must be in a group whose algorithm is program.")
        }
    }
}
