import CLinux
import Glibc

/// Network namespaces by the names that `ip netns` gives them. Source: setns(2), ip-netns(8).
public enum NetworkNamespace {
    /// Runs `body` with the calling thread inside the namespace, then goes back.
    ///
    /// Sockets stay in the namespace in which they were opened. Needs CAP_SYS_ADMIN.
    public static func enter<Result: ~Copyable>(
        _ name: String, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let here = Descriptor(
            owning: try checkErrno(
                "open this thread's network namespace", open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)))
        let there = Descriptor(owning: open("/run/netns/\(name)", O_RDONLY | O_CLOEXEC))
        if there.rawValue < 0 {
            throw SystemError(
                "open the network namespace", code: errno, remedy: "`ip netns list` shows the names.")
        }
        try check("enter the network namespace", cl_enter_network_namespace(there.rawValue))
        defer { _ = cl_enter_network_namespace(here.rawValue) }
        return try body()
    }
}
