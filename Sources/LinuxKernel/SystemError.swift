import Glibc

/// A failed system call: the operation, the errno, and a remedy for the user.
///
/// Source: errno(3); the operation identifies the man page.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operation in the user's words: "open a packet socket", "bind to the interface".
    public let operation: StaticString
    /// The errno value, positive.
    public let code: Int32
    /// The remedy for the user, if known.
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

    /// Returns the same error with a remedy.
    public func advising(_ remedy: String) -> SystemError { SystemError(operation, code: code, remedy: remedy) }
}

/// Converts a wrapper's "-errno or result" to a result or a thrown ``SystemError``.
@discardableResult
package func check(_ operation: StaticString, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation, code: -result) }
    return result
}

/// Converts the result of a C library function that returns -1 and sets errno.
@discardableResult
package func checkErrno(_ operation: StaticString, _ result: Int32) throws(SystemError) -> Int32 {
    if result < 0 { throw SystemError(operation, code: errno) }
    return result
}
