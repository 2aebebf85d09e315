import CLinux
import Glibc

/// Network namespaces, identified by their `ip netns` names or by a file such as /proc/123/ns/net. Source: setns(2),
/// ip-netns(8), namespaces(7).
public enum NetworkNamespace {
    /// Runs `body` with the calling thread inside the namespace, then returns the thread to its original namespace.
    ///
    /// A socket stays in the namespace in which it was opened. Needs CAP_SYS_ADMIN.
    /// - Parameter name: a file's path if it contains a slash, otherwise an `ip netns` name.
    /// - Throws: ``SystemError``: ENOENT if there is no such namespace, EPERM without the capability.
    public static func enter<Result: ~Copyable>(
        _ name: String, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let here = Descriptor(
            owning: try checkErrno(
                "open this thread's network namespace", open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)))
        let there = Descriptor(owning: open(name.contains("/") ? name : "/run/netns/\(name)", O_RDONLY | O_CLOEXEC))
        if there.rawValue < 0 {
            let code = errno
            let problem = "Network namespace \"\(name)\" \(code == ENOENT ? "not found" : "can't be opened")"
            throw SystemError(
                "open the network namespace", code: code,
                remedy: "\(problem): use a name that `ip netns list` shows, or a path that contains a slash.")
        }
        let entered = cl_enter_network_namespace(there.rawValue)
        if entered == -EPERM {
            throw SystemError(
                "enter the network namespace", code: EPERM,
                remedy: "Entering a namespace needs CAP_SYS_ADMIN: run as root.")
        }
        if entered == -EINVAL {
            throw SystemError(
                "enter the network namespace", code: EINVAL,
                remedy: "\"\(name)\" is not a network namespace: use a name that `ip netns list` shows.")
        }
        try check("enter the network namespace", entered)
        defer { _ = cl_enter_network_namespace(here.rawValue) }
        return try body()
    }
}
