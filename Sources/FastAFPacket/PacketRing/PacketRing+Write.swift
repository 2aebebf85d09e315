import CLinux
import Glibc
import LinuxKernel

extension PacketRing {
    /// Sends one packet, without timestamps: for those there is ``PacketConn``.
    ///
    /// - Parameter packet: a whole frame on a raw socket. The ring must have one interface.
    /// - Throws: `SystemError`: ENXIO on a ring of all interfaces, EMSGSIZE above the MTU, ENETDOWN, EBADF once
    ///   closed, and what send(2) gives.
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

    /// Puts `filter` on the socket, in the place of any other. Packets that are in the ring already stay.
    ///
    /// - Throws: `SystemError` EINVAL for a program that the kernel refuses, EBADF once closed.
    public func setFilter(_ filter: Filter) throws(SystemError) {
        do throws(SystemError) { try socket.attach(filter) } catch { throw unlessClosed(error) }
    }
}
