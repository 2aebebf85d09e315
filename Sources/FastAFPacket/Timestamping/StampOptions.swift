import CLinux
import Glibc
import LinuxKernel

/// The SO_TIMESTAMPING bits of a connection's one or two sockets.
struct StampOptions {
    let receiverFlags: UInt32
    let senderFlags: UInt32
    /// The virtual clock that hardware timestamps are taken from.
    private let boundClock: Int32?

    /// - Parameter kinds: the kinds that every send requests unless it requests others.
    init(transmit kinds: TransmitStampKinds, _ configuration: PacketConn.Configuration) {
        boundClock = configuration.boundClock
        let report =
            UInt32(SOF_TIMESTAMPING_SOFTWARE) | UInt32(SOF_TIMESTAMPING_RAW_HARDWARE)
            | (boundClock == nil ? 0 : UInt32(SOF_TIMESTAMPING_BIND_PHC))
        receiverFlags =
            configuration.receiveStamps
            ? UInt32(SOF_TIMESTAMPING_RX_SOFTWARE) | UInt32(SOF_TIMESTAMPING_RX_HARDWARE) | report : 0
        // TX_SWHW: without it a hardware timestamp replaces the software timestamp.
        let always = UInt32(SOF_TIMESTAMPING_OPT_ID) | UInt32(SOF_TIMESTAMPING_OPT_TX_SWHW)
        let dataless = configuration.stampsCarryPacket ? 0 : UInt32(SOF_TIMESTAMPING_OPT_TSONLY)
        senderFlags = kinds.generationFlags | report | always | dataless
    }

    /// Sets the options, all on the receiver if there is no separate sender.
    func apply(to receiver: borrowing Descriptor, sender: borrowing Descriptor) throws(SystemError) {
        try set(receiverFlags, on: receiver)
        try set(senderFlags, on: sender)
    }

    /// Sets the receive options only.
    func apply(toReceiver socket: borrowing Descriptor) throws(SystemError) {
        try set(receiverFlags, on: socket)
    }

    func apply(to socket: borrowing Descriptor) throws(SystemError) {
        try set(receiverFlags | senderFlags, on: socket)
    }

    /// The value of the option, struct so_timestamping; older kernels do not read its second half.
    func value(_ flags: UInt32) -> so_timestamping {
        so_timestamping(flags: Int32(bitPattern: flags), bind_phc: boundClock ?? 0)
    }

    private func set(_ flags: UInt32, on socket: borrowing Descriptor) throws(SystemError) {
        guard flags != 0 else { return }
        // OPT_RX_FILTER excludes timestamps that only other sockets requested; kernels before 6.12 reject it.
        for attempt in [flags | UInt32(CL_SOF_OPT_RX_FILTER), flags] {
            var value = value(attempt)
            let size = socklen_t(boundClock == nil ? MemoryLayout<UInt32>.size : MemoryLayout<so_timestamping>.size)
            if setsockopt(socket.rawValue, SOL_SOCKET, CL_SO_TIMESTAMPING_NEW, &value, size) == 0 { return }
        }
        let code = errno
        if let boundClock {
            throw SystemError(
                "bind the timestamps to a clock", code: code,
                remedy:
                    "It needs Linux 5.14 and a NIC with the virtual clock /dev/ptp\(boundClock): `ethtool -T` names "
                    + "the PHC, and n_vclocks in its /sys/class/ptp folder creates virtual clocks.")
        }
        throw SystemError("request timestamps", code: code, remedy: "SO_TIMESTAMPING_NEW needs Linux 5.1 or newer.")
    }
}
