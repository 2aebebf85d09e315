/// Where a connection has less than was asked for, and works all the same.
public enum ConnectionWarning: Hashable, Sendable, CustomStringConvertible {
    /// The receive buffer, in bytes as SO_RCVBUF counts them.
    case receiveBuffer(asked: Int32, granted: Int32)

    public var description: String {
        switch self {
        case .receiveBuffer(let asked, let granted):
            """
            The kernel granted a receive buffer of \(granted) bytes instead of \(asked): run with CAP_NET_ADMIN, or raise \
            the limit, `sysctl -w net.core.rmem_max=\(asked)`, for high rates.
            """
        }
    }

    /// A warning where the buffer is smaller than was asked for.
    ///
    /// - Parameter bufferBytes: what `Descriptor/growReceiveBuffer(to:)` returned: twice what it counts as.
    package static func receiveBuffer(asked: Int32, bufferBytes: Int32) -> ConnectionWarning? {
        // The kernel doubles, so it takes no more than half of the largest number.
        let reachable = min(asked, Int32.max / 2)
        return bufferBytes / 2 < reachable ? .receiveBuffer(asked: asked, granted: bufferBytes / 2) : nil
    }
}
