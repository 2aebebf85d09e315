import FastAFPacket
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@Suite(.needsRoot, .vethPair)
struct PortHolderTests {
    /// Sends a datagram to a port of the right side, and returns whether "port unreachable" arrives.
    private func isUnreachable(_ port: UInt16, isIPv4: Bool) throws -> Bool {
        let pair = try VethPair.current
        // ICMP destination unreachable, code port; the same in ICMPv6.
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
        // On a veth pair the kernel answers within the send, or soon after.
        try sender.writeTo([1, 2, 3], destination: SocketAddress(address, port: port), id: 0)
        return try !observer.receiveNumbers(1, seconds: 0.2).isEmpty
    }

    @Test(
        "The kernel sends no port unreachable for a reserved port, and sends it again after the release",
        arguments: [true, false])
    func held(isIPv4: Bool) throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        do {
            let reservation = try pair.enter(.right) { () throws(SystemError) in
                try PortReservation(port: 8622, isIPv4: isIPv4, on: interface)
            }
            #expect(try !isUnreachable(reservation.port, isIPv4: isIPv4))
        }
        // A process that another test is about to start may keep the socket for a moment longer.
        #expect(eventually { (try? isUnreachable(8622, isIPv4: isIPv4)) == true })
    }

    @Test("A reserved port receives nothing, and the kernel counts datagrams to it only as errors")
    func nothingDelivered() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        let reservation = try pair.enter(.right) { () throws(SystemError) in
            try PortReservation(port: 8623, isIPv4: true, on: interface)
        }
        #expect(try !isUnreachable(reservation.port, isIPv4: true))
        // The local port in hexadecimal, and the receive queue's bytes after the colon.
        let table = try pair.output(.right, ["cat", "/proc/net/udp"])
        let line = try #require(table.split(separator: "\n").first { $0.contains(":21AF ") })
        #expect(line.contains("00000000:00000000"), "\(line)")
        #expect(reservation.port == 8623)
    }

    @Test("A port in use gives EADDRINUSE, for the same family on the same interface")
    func inUse() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        let codes = try pair.enter(.right) { () throws(SystemError) -> [Int32?] in
            let reservation = try PortReservation(port: 8624, isIPv4: true, on: interface)
            let loopback = try Interface(named: "lo")
            return [(true, interface), (false, interface), (true, loopback)].map { isIPv4, interface in
                errorCode { () throws(SystemError) in
                    _ = try PortReservation(port: reservation.port, isIPv4: isIPv4, on: interface)
                }
            }
        }
        #expect(codes == [EADDRINUSE, nil, nil])
    }

    @Test("Ephemeral ports are in IANA's dynamic range, and no two are equal")
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
