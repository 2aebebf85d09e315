import Glibc
import NetworkAddresses
import Testing

@testable import LinuxKernel

@Suite struct SocketAddressTests {
    /// Returns the bytes that the address writes for the kernel.
    private func stored(_ address: SocketAddress) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: SocketAddress.storageLength, alignment: 8) { storage in
            storage.initializeMemory(as: UInt8.self, repeating: 0xEE)
            let length = storage.baseAddress.map { address.store(to: $0) } ?? 0
            return Array(storage.prefix(Int(length)))
        }
    }

    private func loaded(_ bytes: [UInt8], length: Int? = nil) -> SocketAddress? {
        bytes.withUnsafeBytes { raw in
            raw.baseAddress.flatMap { SocketAddress(loading: $0, length: length ?? bytes.count) }
        }
    }

    private let v4 = SocketAddress(.v4(0xC000_0201), port: 862)
    private let v6 = SocketAddress(.v6(0xFE80 << 112 | 1), port: 862, scope: 7)

    @Test func `the IPv4 sockaddr is in network byte order`() {
        #expect(stored(v4) == [2, 0, 0x03, 0x5E, 192, 0, 2, 1] + [UInt8](repeating: 0, count: 8))
    }

    @Test func `the IPv6 sockaddr is in network byte order and has the scope`() {
        #expect(
            stored(v6) == [10, 0, 0x03, 0x5E, 0, 0, 0, 0, 0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [
                1, 7, 0, 0, 0,
            ])
    }

    @Test func `both families survive a round trip`() {
        #expect(loaded(stored(v4)) == v4)
        #expect(loaded(stored(v6)) == v6)
    }

    @Test func `too few bytes are no address`() {
        for address in [v4, v6] {
            let bytes = stored(address)
            for length in 0..<bytes.count { #expect(loaded(bytes, length: length) == nil, "\(length) bytes") }
        }
    }

    @Test func `another family is no address`() {
        #expect(loaded([UInt8(AF_UNIX), 0] + [UInt8](repeating: 0, count: 30)) == nil)
    }

    @Test func `the text has brackets around IPv6`() {
        #expect(v4.description == "192.0.2.1:862")
        #expect(v6.description == "[fe80::1]:862")
    }

    @Test(arguments: [IPAddress.v4(0x7F00_0001), .v6(1)])
    func `a bound socket returns its address, to which no second socket binds`(local: IPAddress) throws {
        let family = local.isIPv4 ? AF_INET : AF_INET6
        let socket = try Descriptor(socket: family, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        try socket.bind(to: SocketAddress(local, port: 0))
        let bound = try #require(try socket.boundAddress())
        #expect(bound.address == local)
        #expect(bound.port != 0)

        let second = try Descriptor(socket: family, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        let error = #expect(throws: SystemError.self) { try second.bind(to: bound) }
        #expect(error?.code == EADDRINUSE)
    }

    @Test func `socket options are set and read`() throws {
        let socket = try Descriptor(socket: AF_INET, type: Int32(SOCK_DGRAM.rawValue), protocol: 0)
        try socket.setOption("set the TTL", level: Int32(IPPROTO_IP), name: IP_TTL, to: Int32(3))
        #expect(try socket.option("read the TTL", level: Int32(IPPROTO_IP), name: IP_TTL, initial: Int32(0)) == 3)
        #expect(throws: SystemError("set the TTL", code: EINVAL)) {
            try socket.setOption("set the TTL", level: Int32(IPPROTO_IP), name: IP_TTL, to: Int32(1000))
        }
        #expect(try socket.growReceiveBuffer(to: 65536) >= 65536)
    }
}
