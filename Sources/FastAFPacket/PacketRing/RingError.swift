import Glibc
import LinuxKernel

/// The reason why a read of a ring returned no packet.
public enum RingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No packet came within ``PacketRing/Configuration/pollTimeout``.
    case timeout
    /// The socket reported an error during the wait: ENETDOWN once when the interface goes down (the ring continues
    /// when it comes up again), ENXIO once the interface is deleted.
    case pollFailed(SystemError)
    /// EBADF once closed, EBUSY if another thread is reading, and errors of ppoll(2).
    case failed(SystemError)

    public var description: String {
        switch self {
        case .timeout: "wait for packets: no packet arrived before the timeout"
        case .pollFailed(let error), .failed(let error): error.description
        }
    }

    static func closed(_ operation: StaticString) -> SystemError {
        SystemError(operation, code: EBADF, remedy: "The ring is closed.")
    }
}
