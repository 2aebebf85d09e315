import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@Suite(.needsRoot, .vethPair)
struct PortHolderTests {
    /// Sends a datagram to a port of the right side's, and tells whether "port unreachable" comes back.
    private func isUnreachable(_ port: UInt16, isIPv4: Bool) throws -> Bool {
        let pair = try VethPair.current
        // ICMP destination unreachable, code port; ICMPv6 the same.
        let expression =
            isIPv4 ? "icmp[0] = 3 and icmp[1] = 3" : "ip6[6] = 58 and ip6[40] = 1 and ip6[41] = 4"
        let observer = try pair.listen(.left, etherType: isIPv4 ? 0x0800 : 0x86DD) {
            $0.filter = try? Filter(expression: expression)
        }
        let address = try #require(IPAddress(isIPv4 ? VethPair.ipv4(.right) : VethPair.ipv6(.right)))
        let sender = try pair.enter(.left) { () throws(SystemError) in
            try PacketConn.listenUDP(
                on: SocketAddress(isIPv4 ? .v4(0) : .v6(0), port: 0),
                interface: Interface(named: VethPair.interfaceName))
        }
        // The kernel answers within the send on a veth pair, or soon after.
        try sender.writeTo([1, 2, 3], destination: SocketAddress(address, port: port), id: 0)
        return try !observer.receiveNumbers(1, seconds: 0.2).isEmpty
    }

    @Test(
        "While a port is held the kernel sends no port unreachable, and again when it is let go",
        arguments: [true, false])
    func held(isIPv4: Bool) throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        do {
            let holder = try pair.enter(.right) { () throws(SystemError) in
                try PortReservation(port: 8622, isIPv4: isIPv4, on: interface)
            }
            #expect(try !isUnreachable(holder.port, isIPv4: isIPv4))
        }
        // Another test's program, just about to start, may have the socket for a moment longer.
        #expect(eventually { (try? isUnreachable(8622, isIPv4: isIPv4)) == true })
    }

    @Test("A held port is delivered nothing, which the kernel counts as errors alone")
    func nothingDelivered() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        let holder = try pair.enter(.right) { () throws(SystemError) in
            try PortReservation(port: 8623, isIPv4: true, on: interface)
        }
        #expect(try !isUnreachable(holder.port, isIPv4: true))
        // local port in hexadecimal, and the receive queue's bytes behind the colon.
        let table = try pair.output(.right, ["cat", "/proc/net/udp"])
        let line = try #require(table.split(separator: "\n").first { $0.contains(":21AF ") })
        #expect(line.contains("00000000:00000000"), "\(line)")
        #expect(holder.port == 8623)
    }

    @Test("A port that is taken gives EADDRINUSE, for the same family on the same interface")
    func taken() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        let codes = try pair.enter(.right) { () throws(SystemError) -> [Int32?] in
            let holder = try PortReservation(port: 8624, isIPv4: true, on: interface)
            let loopback = try Interface(named: "lo")
            return [(true, interface), (false, interface), (true, loopback)].map { isIPv4, interface in
                errorCode { () throws(SystemError) in
                    _ = try PortReservation(port: holder.port, isIPv4: isIPv4, on: interface)
                }
            }
        }
        #expect(codes == [EADDRINUSE, nil, nil])
    }

    @Test("Ephemeral ports lie in IANA's range, and no two are the same")
    func ephemeral() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        let ports = try pair.enter(.right) { () throws(SystemError) -> [UInt16] in
            let first = try PortReservation.ephemeral(isIPv4: true, on: interface)
            let second = try PortReservation.ephemeral(isIPv4: true, on: interface)
            return [first.port, second.port]
        }
        #expect(ports[0] != ports[1] && ports.allSatisfy { $0 >= 49152 })
    }
}
