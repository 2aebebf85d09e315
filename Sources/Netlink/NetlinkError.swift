import CLinux
import Glibc
import LinuxKernel

/// A failed netlink operation, with its cause and the kernel's explanation if there is one.
///
/// Source: netlink(7) NLMSG_ERROR; NLMSGERR_ATTR_* in linux/netlink.h.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Cause: Hashable, Sendable {
        /// The kernel answered with this errno.
        case refused(Int32)
        /// A call on the socket failed.
        case socket(SystemError)
        /// No answer arrived in time.
        case timedOut
        /// The answer was longer than the buffer and was truncated.
        case truncated(bytes: Int)
        /// The answer or the request is malformed.
        case malformed(NetlinkFormatError)
        /// The kernel's table changed during every attempt to read it (NLM_F_DUMP_INTR).
        case interrupted(attempts: Int)
        /// The answer lacks the requested object.
        case empty
    }

    /// The operation that failed, as error messages name it: "look up the route".
    public let operation: StaticString
    public let cause: Cause
    /// The kernel's explanation (extended acknowledgement); `nil` if it gave none.
    public var kernelMessage: String?
    /// Byte offset in the request of the attribute that the kernel rejected.
    public var offset: Int?
    /// The type of a required attribute that the request lacks.
    public var missingAttribute: UInt32?
    /// The remedy for the user; `nil` if none is known.
    public var remedy: String?

    public init(_ operation: StaticString, _ cause: Cause) {
        self.operation = operation
        self.cause = cause
        if cause == .refused(EPERM) { remedy = "Run as root, or grant CAP_NET_ADMIN with `setcap`." }
    }

    /// The errno of the kernel or the socket call, or the closest one to another cause.
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
        if let offset { text += " (the attribute at byte \(offset) of the request)" }
        if let missingAttribute { text += " (the request lacks attribute \(missingAttribute))" }
        if let remedy { text += ". \(remedy)" }
        return text
    }

    private var reason: String {
        switch cause {
        case .refused(let code): String(cString: strerror(code))
        case .socket(let error): error.description
        case .timedOut: "the kernel did not answer in time"
        case .truncated(let bytes): "the answer of \(bytes) bytes does not fit in the buffer"
        case .malformed(let reason): "malformed message: \(reason)"
        case .interrupted(let attempts): "the table changed during each of \(attempts) attempts to read it"
        case .empty: "the kernel's answer lacks the requested object"
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
