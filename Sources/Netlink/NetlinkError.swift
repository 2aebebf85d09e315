import CLinux
import Glibc
import LinuxKernel

/// A netlink request that failed: what was asked, why, and the kernel's own words where it gave any.
///
/// Source: netlink(7) NLMSG_ERROR; NLMSGERR_ATTR_* in linux/netlink.h.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Cause: Hashable, Sendable {
        /// The kernel answered with this errno.
        case refused(Int32)
        /// A call on the socket failed.
        case socket(SystemError)
        /// No answer came in time.
        case timedOut
        /// The answer was bigger than the buffer and lost its end.
        case truncated(bytes: Int)
        /// The answer, or the request, is no proper message.
        case malformed(NetlinkFormatError)
        /// The kernel's table changed during every attempt to read it (NLM_F_DUMP_INTR).
        case interrupted(attempts: Int)
        /// The answer came without what was asked for.
        case empty
    }

    /// What was asked, as a user reads it: "look the route up".
    public let operation: StaticString
    public let cause: Cause
    /// The kernel's own explanation (extended acknowledgement), where it gave one.
    public var kernelMessage: String?
    /// Where in the request's bytes the attribute is that the kernel objects to.
    public var offset: Int?
    /// The type of an attribute that the kernel misses in the request.
    public var missingAttribute: UInt32?
    /// What to do next, where it is known.
    public var remedy: String?

    public init(_ operation: StaticString, _ cause: Cause) {
        self.operation = operation
        self.cause = cause
        if cause == .refused(EPERM) { remedy = "Run as root, or grant CAP_NET_ADMIN with `setcap`." }
    }

    /// The errno: the kernel's, the socket call's, or the nearest one to the cause.
    public var code: Int32 {
        switch cause {
        case .refused(let code): code
        case .socket(let error): error.code
        case .timedOut: ETIMEDOUT
        case .truncated: EMSGSIZE
        case .malformed: EBADMSG
        case .interrupted: EINTR
        case .empty: ENODATA
        }
    }

    public var description: String {
        var text = "\(operation): \(reason)"
        if let kernelMessage { text += ": the kernel says \"\(kernelMessage)\"" }
        if let offset { text += " (of the attribute at byte \(offset) of the request)" }
        if let missingAttribute { text += " (the request lacks attribute \(missingAttribute))" }
        if let remedy { text += ". \(remedy)" }
        return text
    }

    private var reason: String {
        switch cause {
        case .refused(let code): String(cString: strerror(code))
        case .socket(let error): error.description
        case .timedOut: "the kernel did not answer in time"
        case .truncated(let bytes): "the answer of \(bytes) bytes did not fit the buffer"
        case .malformed(let reason): "malformed message: \(reason)"
        case .interrupted(let attempts): "the table changed during each of \(attempts) attempts to read it"
        case .empty: "the kernel's answer is empty"
        }
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.operation.description == right.operation.description && left.cause == right.cause
            && left.kernelMessage == right.kernelMessage && left.offset == right.offset
            && left.missingAttribute == right.missingAttribute
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(cause)
        hasher.combine(kernelMessage)
    }
}
