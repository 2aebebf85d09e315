import CLinux
import Glibc
import Kernel

/// The SO_TIMESTAMPING bits of a connection's one or two sockets.
struct StampOptions {
    let receiverFlags: UInt32
    let senderFlags: UInt32

    /// - Parameters:
    ///   - transmit: the kinds that every send asks for.
    ///   - carriesPacket: whether the packet comes back with its stamp.
    init(transmit: TransmitStampKinds, receive: Bool, carriesPacket: Bool) {
        let report = UInt32(SOF_TIMESTAMPING_SOFTWARE) | UInt32(SOF_TIMESTAMPING_RAW_HARDWARE)
        receiverFlags =
            receive ? UInt32(SOF_TIMESTAMPING_RX_SOFTWARE) | UInt32(SOF_TIMESTAMPING_RX_HARDWARE) | report : 0
        // TX_SWHW: without it a hardware stamp takes the software stamp's place.
        let always = UInt32(SOF_TIMESTAMPING_OPT_ID) | UInt32(SOF_TIMESTAMPING_OPT_TX_SWHW)
        let dataless = carriesPacket ? 0 : UInt32(SOF_TIMESTAMPING_OPT_TSONLY)
        senderFlags = transmit.isEmpty ? 0 : transmit.generationFlags | report | always | dataless
    }

    /// Sets them: all on the receiver where there is no sender of its own.
    func apply(to receiver: borrowing Descriptor, sender: borrowing Descriptor) throws(SystemError) {
        try Self.set(receiverFlags, on: receiver)
        try Self.set(senderFlags, on: sender)
    }

    func apply(to socket: borrowing Descriptor) throws(SystemError) {
        try Self.set(receiverFlags | senderFlags, on: socket)
    }

    private static func set(_ flags: UInt32, on socket: borrowing Descriptor) throws(SystemError) {
        guard flags != 0 else { return }
        // OPT_RX_FILTER keeps out stamps that only other sockets asked for; kernels before 6.12 refuse it.
        for attempt in [flags | UInt32(CL_SOF_OPT_RX_FILTER), flags] {
            var value = attempt
            let size = socklen_t(MemoryLayout<UInt32>.size)
            if setsockopt(socket.rawValue, SOL_SOCKET, CL_SO_TIMESTAMPING_NEW, &value, size) == 0 { return }
        }
        throw SystemError("ask for stamps", code: errno, remedy: "SO_TIMESTAMPING_NEW needs Linux 5.1 or newer.")
    }
}
