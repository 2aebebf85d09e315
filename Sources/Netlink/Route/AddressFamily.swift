import Glibc
import NetworkAddresses

extension IPAddress {
    /// AF_INET or AF_INET6, as the headers of rtnetlink want it.
    var family: UInt8 { UInt8(truncatingIfNeeded: isIPv4 ? AF_INET : AF_INET6) }
}
