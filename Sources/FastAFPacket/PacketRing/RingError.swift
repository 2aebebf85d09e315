import Glibc
import LinuxKernel

/// Why a read of a ring returned no packet.
public enum RingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No packet came within ``PacketRing/Configuration/pollTimeout``.
    case timeout
    /// The socket is in error while it is waited for: ENETDOWN once when the interface goes down (the ring goes on when
    /// it comes up again), ENXIO when it is gone.
    case pollFailed(SystemError)
    /// EBADF once closed, EBUSY where another thread is reading, and what ppoll(2) gives.
    case failed(SystemError)

    public var description: String {
        switch self {
        case .timeout: "wait for packets: no packet came in time"
        case .pollFailed(let error), .failed(let error): error.description
        }
    }

    static func closed(_ operation: StaticString) -> SystemError {
        SystemError(operation, code: EBADF, remedy: "The ring is closed.")
    }
}
