import Glibc
import NetworkAddresses

/// An IP address and port, as socket calls take it. Source: ip(7), ipv6(7).
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    public var address: IPAddress
    public var port: UInt16
    /// The index of the interface of a link-local IPv6 address; 0 for other addresses.
    public var scope: UInt32

    public init(_ address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    public var description: String {
        switch address {
        case .v4: "\(address):\(port)"
        case .v6: "[\(address)]:\(port)"
        }
    }

    /// Size of the largest sockaddr used, sockaddr_in6, in bytes.
    package static let storageLength = MemoryLayout<sockaddr_in6>.size

    /// Writes the sockaddr to `storage`, which has at least ``storageLength`` bytes, and returns its length.
    package func store(to storage: UnsafeMutableRawPointer) -> socklen_t {
        switch address {
        case .v4(let value):
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            raw.sin_addr.s_addr = value.bigEndian
            storage.storeBytes(of: raw, as: sockaddr_in.self)
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        case .v6(let value):
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            raw.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &raw.sin6_addr) { $0.storeBytes(of: value.bigEndian, as: UInt128.self) }
            storage.storeBytes(of: raw, as: sockaddr_in6.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
    }

    /// Decodes a sockaddr; `nil` for another family or too few bytes.
    package init?(loading storage: UnsafeRawPointer, length: Int) {
        guard length >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(storage.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let raw = storage.loadUnaligned(as: sockaddr_in.self)
            self.init(.v4(UInt32(bigEndian: raw.sin_addr.s_addr)), port: UInt16(bigEndian: raw.sin_port))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            let raw = storage.loadUnaligned(as: sockaddr_in6.self)
            let value = withUnsafeBytes(of: raw.sin6_addr) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
            self.init(.v6(value), port: UInt16(bigEndian: raw.sin6_port), scope: raw.sin6_scope_id)
        default:
            return nil
        }
    }
}

extension Descriptor {
    /// Binds the socket to `address`. Source: bind(2).
    public func bind(to address: SocketAddress) throws(SystemError) {
        var storage = sockaddr_in6()
        let result = withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress else { return Int32(-1) }
            let length = address.store(to: base)
            return Glibc.bind(rawValue, base.assumingMemoryBound(to: sockaddr.self), length)
        }
        try checkErrno("bind to the address", result)
    }

    /// Returns the address to which the socket is bound; `nil` for other families. Source: getsockname(2).
    public func boundAddress() throws(SystemError) -> SocketAddress? {
        var storage = sockaddr_in6()
        var length = socklen_t(SocketAddress.storageLength)
        let result = withUnsafeMutableBytes(of: &storage) { bytes in
            guard let base = bytes.baseAddress else { return Int32(-1) }
            return getsockname(rawValue, base.assumingMemoryBound(to: sockaddr.self), &length)
        }
        try checkErrno("read the bound address", result)
        return withUnsafeBytes(of: storage) { bytes in
            bytes.baseAddress.flatMap { SocketAddress(loading: $0, length: Int(length)) }
        }
    }
}
