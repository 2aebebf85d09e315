import LinuxKernel

/// A resource of which a working connection got less than it requested.
public enum ConnectionWarning: Hashable, Sendable, CustomStringConvertible {
    /// The receive buffer, in bytes as SO_RCVBUF counts them.
    case receiveBuffer(asked: Int32, granted: Int32)
    /// The NIC's timestamping, which this connection switched on, is not shared: it ends for all connections with this
    /// one. The error gives the reason.
    case stampingNotShared(SystemError)

    public var description: String {
        switch self {
        case .receiveBuffer(let asked, let granted):
            """
            The kernel granted a receive buffer of \(granted) bytes instead of \(asked): run with CAP_NET_ADMIN, or \
            raise the limit, `sysctl -w net.core.rmem_max=\(asked)`, for high rates.
            """
        case .stampingNotShared(let error):
            """
            Other connections on this NIC lose their hardware timestamps when this one ends, because it cannot share the \
            NIC's timestamping with them: \(error)
            """
        }
    }

    /// Returns a warning if the buffer is smaller than requested.
    ///
    /// - Parameter bufferBytes: the result of `Descriptor/growReceiveBuffer(to:)`: twice the SO_RCVBUF value.
    package static func receiveBuffer(asked: Int32, bufferBytes: Int32) -> ConnectionWarning? {
        // The kernel doubles the value, so the highest it accepts is half the largest Int32.
        let reachable = min(asked, Int32.max / 2)
        return bufferBytes / 2 < reachable ? .receiveBuffer(asked: asked, granted: bufferBytes / 2) : nil
    }
}
