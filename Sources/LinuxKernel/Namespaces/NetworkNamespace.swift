import CLinux
import Glibc

/// Network namespaces by the names that `ip netns` gives them, or by a file of theirs such as /proc/123/ns/net.
/// Source: setns(2), ip-netns(8), namespaces(7).
public enum NetworkNamespace {
    /// Runs `body` with the calling thread inside the namespace, then goes back.
    ///
    /// Sockets stay in the namespace in which they were opened. Needs CAP_SYS_ADMIN.
    /// - Parameter name: with a slash in it the file's path, without one the name.
    /// - Throws: ``SystemError``: ENOENT where there is no such namespace, EPERM without the capability.
    public static func enter<Result: ~Copyable>(
        _ name: String, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let here = Descriptor(
            owning: try checkErrno(
                "open this thread's network namespace", open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)))
        let there = Descriptor(owning: open(name.contains("/") ? name : "/run/netns/\(name)", O_RDONLY | O_CLOEXEC))
        if there.rawValue < 0 {
            let remedy = "It was to be \"\(name)\": `ip netns list` shows the names; with a slash it is a path."
            throw SystemError("open the network namespace", code: errno, remedy: remedy)
        }
        let entered = cl_enter_network_namespace(there.rawValue)
        if entered == -EPERM {
            throw SystemError(
                "enter the network namespace", code: EPERM,
                remedy: "Another namespace needs CAP_SYS_ADMIN: run as root.")
        }
        if entered == -EINVAL {
            throw SystemError(
                "enter the network namespace", code: EINVAL,
                remedy: "\"\(name)\" is no network namespace: `ip netns list` shows the names.")
        }
        try check("enter the network namespace", entered)
        defer { _ = cl_enter_network_namespace(here.rawValue) }
        return try body()
    }
}
