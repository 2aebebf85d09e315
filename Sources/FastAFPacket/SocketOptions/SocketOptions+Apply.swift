import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

extension SocketOptions {
    /// What a socket is there for: an option of the other half is left out.
    package struct Half: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let receive = Half(rawValue: 1)
        package static let send = Half(rawValue: 2)
    }

    /// Sets the options on a packet socket. To be called before it is bound, so that nothing is received without them.
    ///
    /// - Parameter interface: `nil` for a socket that hears all of them.
    /// - Throws: `SystemError`: EINVAL for an option of one interface without one, what setsockopt(2) gives, and what
    ///   to do about it.
    package func apply(
        to socket: borrowing Descriptor, on interface: Interface?, half: Half
    ) throws(SystemError) {
        if interface == nil, promiscuous || bindToDevice || !multicastGroups.isEmpty {
            throw SystemError(
                "set the socket's options", code: EINVAL,
                remedy: "promiscuous, multicastGroups and bindToDevice need one interface.")
        }
        if half.contains(.send), bypassQdisc {
            try socket.setOption(
                "bypass the packet scheduler", level: CL_SOL_PACKET, name: PACKET_QDISC_BYPASS, to: Int32(1))
        }
        if half.contains(.receive) {
            try socket.setOption(
                "leave out own frames", level: CL_SOL_PACKET, name: CL_PACKET_IGNORE_OUTGOING,
                to: Int32(ignoreOutgoing ? 1 : 0))
            if let interface {
                if promiscuous { try socket.setPromiscuous(true, on: interface) }
                for group in multicastGroups { try socket.setMembership(true, in: group, on: interface) }
            }
        }
        if virtioNetHeader {
            do throws(SystemError) {
                try socket.setOption(
                    "put the virtio-net header before packets", level: CL_SOL_PACKET, name: PACKET_VNET_HDR,
                    to: Int32(1))
            } catch  where error.code == EINVAL {
                throw error.advising("Only a socket of type raw has it.")
            }
        }
        if bindToDevice, let interface { try socket.bindToDevice(interface) }
        try applyCommon(to: socket, half: half)
    }

    /// Lets go of what a packet socket holds on its interface for as long as it lives.
    func restore(_ socket: borrowing Descriptor, on interface: Interface) {
        if promiscuous { try? socket.setPromiscuous(false, on: interface) }
        for group in multicastGroups { try? socket.setMembership(false, in: group, on: interface) }
    }

    /// Sets the options on a UDP socket, which is bound to its device in any case.
    ///
    /// - Throws: `SystemError` EOPNOTSUPP for an option that only packet sockets have, and what setsockopt(2) gives.
    func apply(toUDP socket: borrowing Descriptor) throws(SystemError) {
        if bypassQdisc || promiscuous || virtioNetHeader || !ignoreOutgoing || !multicastGroups.isEmpty {
            throw SystemError(
                "set the socket's options", code: EOPNOTSUPP,
                remedy: "bypassQdisc, promiscuous, multicastGroups, virtioNetHeader and ignoreOutgoing are for packet "
                    + "sockets.")
        }
        try applyCommon(to: socket, half: [.receive, .send])
    }

    private func applyCommon(to socket: borrowing Descriptor, half: Half) throws(SystemError) {
        if half.contains(.receive), let busyPoll { try busyPoll.apply(to: socket) }
        guard half.contains(.send) else { return }
        if let priority {
            try socket.setPrivilegedOption(
                "set the priority", name: SO_PRIORITY, to: priority,
                remedy: "Others than 0 to 6 need CAP_NET_ADMIN, or CAP_NET_RAW from Linux 5.17 on.")
        }
        if let mark {
            try socket.setPrivilegedOption(
                "set the mark", name: SO_MARK, to: mark,
                remedy: "It needs CAP_NET_ADMIN, or CAP_NET_RAW from Linux 5.17 on.")
        }
    }
}

extension SocketOptions.BusyPoll {
    fileprivate func apply(to socket: borrowing Descriptor) throws(SystemError) {
        let remedy = "To raise it needs CAP_NET_ADMIN: run as root, or `setcap cap_net_admin+ep` on the program."
        try socket.setPrivilegedOption("busy poll", name: SO_BUSY_POLL, to: microseconds, remedy: remedy)
        if isPreferred {
            try socket.setPrivilegedOption("prefer busy polls", name: SO_PREFER_BUSY_POLL, to: Int32(1), remedy: remedy)
        }
        if let budget {
            try socket.setPrivilegedOption(
                "set the budget of busy polls", name: SO_BUSY_POLL_BUDGET, to: budget, remedy: remedy)
        }
    }
}

extension Descriptor {
    /// Sets a SOL_SOCKET option; where the process may not, the error says what it needs.
    fileprivate func setPrivilegedOption<Value: BitwiseCopyable>(
        _ operation: StaticString, name: Int32, to value: Value, remedy: String
    ) throws(SystemError) {
        do throws(SystemError) {
            try setOption(operation, level: SOL_SOCKET, name: name, to: value)
        } catch  where error.code == EPERM {
            throw error.advising(remedy)
        }
    }

    /// Takes part in the interface's promiscuity, or lets go of it: the kernel counts the sockets that want it. Source:
    /// PACKET_ADD_MEMBERSHIP in packet(7).
    package func setPromiscuous(_ isWanted: Bool, on interface: Interface) throws(SystemError) {
        var request = packet_mreq()
        request.mr_ifindex = interface.index
        request.mr_type = UInt16(PACKET_MR_PROMISC)
        try setOption(
            "change the interface's promiscuity", level: CL_SOL_PACKET,
            name: isWanted ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, to: request)
    }

    /// Has the interface take in the group's frames, or lets go of them: the kernel counts the sockets that want them.
    /// Source: PACKET_ADD_MEMBERSHIP in packet(7).
    package func setMembership(
        _ isWanted: Bool, in group: MACAddress, on interface: Interface
    ) throws(SystemError) {
        var request = packet_mreq()
        request.mr_ifindex = interface.index
        request.mr_type = UInt16(PACKET_MR_MULTICAST)
        request.mr_alen = 6
        withUnsafeMutableBytes(of: &request.mr_address) { bytes in
            for index in 0..<6 { bytes[index] = group.octet(index) }
        }
        try setOption(
            "change the interface's multicast groups", level: CL_SOL_PACKET,
            name: isWanted ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, to: request)
    }

    /// Source: SO_BINDTODEVICE in socket(7).
    func bindToDevice(_ interface: Interface) throws(SystemError) {
        let number = rawValue
        let result = interface.name.withCString {
            setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, $0, socklen_t(interface.name.utf8.count))
        }
        try checkErrno("bind to the device", result)
    }
}
