import Glibc
import NetworkAddresses

extension IPAddress {
    /// AF_INET or AF_INET6, as rtnetlink's headers carry it.
    var family: UInt8 { UInt8(truncatingIfNeeded: isIPv4 ? AF_INET : AF_INET6) }
}
