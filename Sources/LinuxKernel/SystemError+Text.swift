import Glibc

extension SystemError {
    /// An errno in words: "Network is down". Source: strerror(3).
    public static func text(of code: Int32) -> String { String(cString: strerror(code)) }
}
