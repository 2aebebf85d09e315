import CLinux
import Glibc
import LinuxKernel

extension PacketRing {
    /// Sends one packet without timestamps. To send with timestamps, use ``PacketConn``.
    ///
    /// - Parameter packet: a whole frame on a raw socket. The ring must be open on one interface.
    /// - Throws: `SystemError`: ENXIO on a ring of all interfaces, EMSGSIZE above the MTU, ENETDOWN, EBADF once closed,
    ///   and errors of send(2).
    public func write(_ packet: [UInt8]) throws(SystemError) {
        while true {
            if send(socket.rawValue, packet, packet.count, Int32(MSG_DONTWAIT)) >= 0 { return }
            let error = errno
            switch error {
            case EINTR:
                continue
            case EAGAIN:
                try poll("send", for: POLLOUT, timeout: -1)
            default:
                throw unlessClosed(SystemError("send", code: error))
            }
        }
    }

    /// Replaces the socket's filter. Packets already in the ring stay.
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel rejects, EBADF once closed.
    public func setFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) { try socket.attach(filter) } catch { throw unlessClosed(error) }
    }
}
