import CLinux
import Glibc

/// Facts about the host for the description of a run. Source: uname(2), random(4), capabilities(7).
public enum Host {
    /// The host's name.
    public static var name: String { text(of: \.nodename) }

    /// The kernel's release, as `uname -r` prints it.
    public static var kernelRelease: String { text(of: \.release) }

    private static func text<Field>(of field: KeyPath<utsname, Field>) -> String {
        var raw = utsname()
        uname(&raw)
        return withUnsafeBytes(of: raw[keyPath: field]) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Returns a hash of this boot's random identifier (FNV-1a, 64 bits). Two instances get equal hashes only if one
    /// kernel runs both, or one machine is a clone of the other. 0 if the identifier can't be read.
    public static func bootHash() -> UInt64 {
        guard let bytes = TextFile.bytes("/proc/sys/kernel/random/boot_id"), !bytes.isEmpty else { return 0 }
        return bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// Returns a kernel setting as `sysctl` prints it; `nil` if this kernel or network namespace does not have it.
    ///
    /// - Parameter name: the setting with slashes instead of dots, such as "net/core/rmem_max".
    public static func setting(_ name: String) -> String? { TextFile.contents("/proc/sys/" + name) }

    /// A capability that a command may need.
    public enum Capability: Int32, Sendable, CaseIterable {
        case bindService = 10
        case networkAdministration = 12
        case rawSockets = 13
    }

    /// Returns whether the process has the capability now.
    public static func has(_ capability: Capability) -> Bool { cl_has_capability(capability.rawValue) == 1 }
}
