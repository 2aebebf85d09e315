import CLinux
import Glibc
import NetworkAddresses

/// A network interface of the calling thread's network namespace, as of the lookup.
///
/// Source: netdevice(7).
public struct Interface: Hashable, Sendable {
    public var name: String
    public var index: Int32
    /// Largest payload of a frame in bytes: the IP packet.
    public var mtu: Int
    public var isUp: Bool
    /// True if frames have an Ethernet header (ARPHRD_ETHER or loopback).
    public var isEthernet: Bool
    public var macAddress: MACAddress

    /// Looks up an interface by name.
    ///
    /// - Throws: ``SystemError`` ENODEV with the advice to list the interfaces.
    public init(named name: String) throws(SystemError) {
        var raw = cl_interface()
        let result = cl_interface_by_name(name, &raw)
        if result < 0 {
            throw SystemError(
                "find the interface", code: -result, remedy: "`ip link` lists the interfaces of this network namespace."
            )
        }
        self.name = name
        index = raw.index
        mtu = Int(raw.mtu)
        isUp = raw.flags & UInt32(IFF_UP) != 0
        isEthernet = raw.hardware_type == 1 || raw.hardware_type == 772
        macAddress = withUnsafeBytes(of: raw.hardware_address) { bytes in
            MACAddress(rawValue: bytes.prefix(6).reduce(0) { $0 << 8 | UInt64($1) })
        }
    }
}

extension Interface {
    /// Returns the interfaces of the calling thread's network namespace, in the kernel's order, except those that
    /// disappear meanwhile.
    ///
    /// - Throws: ``SystemError`` with the errno of if_nameindex(3).
    public static func all() throws(SystemError) -> [Interface] {
        guard let list = if_nameindex() else { throw SystemError("list the interfaces", code: errno) }
        defer { if_freenameindex(list) }
        var found: [Interface] = []
        var entry = list
        while let name = entry.pointee.if_name {
            if let interface = try? Interface(named: String(cString: name)) { found.append(interface) }
            entry += 1
        }
        return found
    }
}
