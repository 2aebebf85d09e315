import Glibc

/// A failed system call: what was tried, the errno, and what the user can do about it.
///
/// Source: errno(3); the operation names the man page to read.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, as a user reads it: "open a packet socket", "bind to the interface".
    public let operation: StaticString
    /// The errno value, positive.
    public let code: Int32
    /// What to do next, where it is known.
    public var remedy: String?

    public init(_ operation: StaticString, code: Int32, remedy: String? = nil) {
        self.operation = operation
        self.code = code
        self.remedy = remedy
    }

    public var description: String {
        var text = "\(operation): \(String(cString: strerror(code)))"
        if let remedy { text += ". \(remedy)" }
        return text
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.code == right.code && left.operation.description == right.operation.description
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// The same error with advice for the user.
    public func advising(_ remedy: String) -> SystemError { SystemError(operation, code: code, remedy: remedy) }
}

/// Turns a call's "-errno or result" into a result or a thrown ``SystemError``.
@discardableResult
package func check(_ operation: StaticString, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation, code: -result) }
    return result
}

/// The same for a call of the C library's, which returns -1 and sets errno.
@discardableResult
package func checkErrno(_ operation: StaticString, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation, code: errno) }
    return result
}
