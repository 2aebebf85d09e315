import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses

extension SocketOptions {
    /// The direction a socket is used for: options of the other direction are not set.
    package struct Half: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let receive = Half(rawValue: 1)
        package static let send = Half(rawValue: 2)
    }

    /// Sets the options on a packet socket. Call it before binding, so that nothing is received without them.
    ///
    /// - Parameter interface: `nil` for a socket that receives from all interfaces.
    /// - Throws: `SystemError`: EINVAL for an option that needs an interface when there is none, and errors of
    ///   setsockopt(2) with a remedy.
    package func apply(
        to socket: borrowing Descriptor, on interface: Interface?, half: Half
    ) throws(SystemError) {
        if interface == nil, promiscuous || bindToDevice || !multicastGroups.isEmpty {
            throw SystemError(
                "set the socket's options", code: EINVAL,
                remedy: "promiscuous, multicastGroups and bindToDevice need an interface: name one, or leave them off.")
        }
        if half.contains(.send), bypassQdisc {
            try socket.setOption(
                "bypass the packet scheduler", level: CL_SOL_PACKET, name: PACKET_QDISC_BYPASS, to: Int32(1))
        }
        if half.contains(.receive) {
            try socket.setOption(
                "exclude frames sent by this host", level: CL_SOL_PACKET, name: CL_PACKET_IGNORE_OUTGOING,
                to: Int32(ignoreOutgoing ? 1 : 0))
            if let interface {
                if promiscuous { try socket.setPromiscuous(true, on: interface) }
                for group in multicastGroups { try socket.setMembership(true, in: group, on: interface) }
            }
        }
        if virtioNetHeader {
            do throws(SystemError) {
                try socket.setOption(
                    "prefix packets with a virtio-net header", level: CL_SOL_PACKET, name: PACKET_VNET_HDR,
                    to: Int32(1))
            } catch  where error.code == EINVAL {
                throw error.advising("It needs a socket of type raw.")
            }
        }
        if bindToDevice, let interface { try socket.bindToDevice(interface) }
        try applyCommon(to: socket, half: half)
    }

    /// Releases the memberships that a packet socket has on its interface.
    func restore(_ socket: borrowing Descriptor, on interface: Interface) {
        if promiscuous { try? socket.setPromiscuous(false, on: interface) }
        for group in multicastGroups { try? socket.setMembership(false, in: group, on: interface) }
    }

    /// Sets the options on a UDP socket, which is always bound to its device.
    ///
    /// - Throws: `SystemError` EOPNOTSUPP for an option that only packet sockets have, and errors of setsockopt(2).
    func apply(toUDP socket: borrowing Descriptor) throws(SystemError) {
        if bypassQdisc || promiscuous || virtioNetHeader || !ignoreOutgoing || !multicastGroups.isEmpty {
            throw SystemError(
                "set the socket's options", code: EOPNOTSUPP,
                remedy: "bypassQdisc, promiscuous, multicastGroups, virtioNetHeader and ignoreOutgoing need a packet "
                    + "socket: leave them at their defaults.")
        }
        try applyCommon(to: socket, half: [.receive, .send])
    }

    private func applyCommon(to socket: borrowing Descriptor, half: Half) throws(SystemError) {
        if half.contains(.receive), let busyPoll { try busyPoll.apply(to: socket) }
        guard half.contains(.send) else { return }
        if let priority {
            try socket.setPrivilegedOption(
                "set the priority", name: SO_PRIORITY, to: priority,
                remedy: "Priorities other than 0 to 6 need CAP_NET_ADMIN, or CAP_NET_RAW on Linux 5.17 and later.")
        }
        if let mark {
            try socket.setPrivilegedOption(
                "set the mark", name: SO_MARK, to: mark,
                remedy: "A mark needs CAP_NET_ADMIN, or CAP_NET_RAW on Linux 5.17 and later.")
        }
    }
}

extension SocketOptions.BusyPoll {
    fileprivate func apply(to socket: borrowing Descriptor) throws(SystemError) {
        let remedy = "Raising it needs CAP_NET_ADMIN: run as root, or `setcap cap_net_admin+ep` on the executable."
        try socket.setPrivilegedOption("set the busy poll time", name: SO_BUSY_POLL, to: microseconds, remedy: remedy)
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
    /// Sets a SOL_SOCKET option; an EPERM error carries the remedy.
    fileprivate func setPrivilegedOption<Value: BitwiseCopyable>(
        _ operation: StaticString, name: Int32, to value: Value, remedy: String
    ) throws(SystemError) {
        do throws(SystemError) {
            try setOption(operation, level: SOL_SOCKET, name: name, to: value)
        } catch  where error.code == EPERM {
            throw error.advising(remedy)
        }
    }

    /// Joins or leaves the interface's promiscuous mode. The kernel counts the sockets that have joined. Source:
    /// PACKET_ADD_MEMBERSHIP in packet(7).
    package func setPromiscuous(_ isMember: Bool, on interface: Interface) throws(SystemError) {
        var request = packet_mreq()
        request.mr_ifindex = interface.index
        request.mr_type = UInt16(PACKET_MR_PROMISC)
        try setOption(
            "change the interface's promiscuity", level: CL_SOL_PACKET,
            name: isMember ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, to: request)
    }

    /// Joins or leaves a multicast group on the interface. The kernel counts the sockets that have joined. Source:
    /// PACKET_ADD_MEMBERSHIP in packet(7).
    package func setMembership(
        _ isMember: Bool, in group: MACAddress, on interface: Interface
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
            name: isMember ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, to: request)
    }

    /// Binds the socket to an interface by name. Source: SO_BINDTODEVICE in socket(7).
    func bindToDevice(_ interface: Interface) throws(SystemError) {
        let number = rawValue
        let result = interface.name.withCString {
            setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, $0, socklen_t(interface.name.utf8.count))
        }
        try checkErrno("bind to the device", result)
    }
}
