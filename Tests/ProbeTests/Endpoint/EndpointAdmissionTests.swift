import FastAFPacket
import NetworkAddresses
import Testing

@testable import probe

@Suite struct EndpointAdmissionTests {
    private func admission(_ destinations: Int, sources: [String] = []) throws -> Admission {
        Admission(
            sources: try sources.map { try #require(IPNetwork($0)) },
            destinations: try (0..<destinations).map {
                try #require(IPAddress("192.0.\($0 / 200 + 2).\($0 % 200 + 1)"))
            })
    }

    @Test func `A few local addresses and networks are checked by the filter`() throws {
        let few = try admission(2, sources: ["198.51.100.0/24", "203.0.113.9/32"])
        #expect(few.addressesToCheck == nil)
        #expect(
            few.expression(port: 862, isIPv4: true)
                == "udp and dst port 862 and (dst host 192.0.2.1 or dst host 192.0.2.2) and "
                + "(src net 198.51.100.0/24 or src net 203.0.113.9/32)")
        #expect(try admission(64).addressesToCheck == nil)
    }

    @Test(arguments: [65, 200, 1000])
    func `More than 64 local addresses are checked by a table, and the filter stays short`(count: Int) throws {
        let many = try admission(count, sources: ["198.51.100.0/24"])
        #expect(many.addressesToCheck == Set(many.destinations))
        #expect(
            many.expression(port: 862, isIPv4: true) == "udp and dst port 862 and (src net 198.51.100.0/24)")
        let filter = try EndpointSocket.compile(many.expression(port: 862, isIPv4: true), isIPv4: true)
        #expect(filter.instructions.count < 32)
    }

    @Test func `More than 64 networks are left to the reflector`() throws {
        var many = try admission(1)
        many.sources = try (0..<65).map { try #require(IPNetwork("10.0.\($0).0/24")) }
        #expect(many.expression(port: 862, isIPv4: true) == "udp and dst port 862 and (dst host 192.0.2.1)")
    }

    @Test(arguments: [true, false])
    func `Without a local address the filter passes no probe, and compiles`(isIPv4: Bool) throws {
        let none = Admission(sources: [], destinations: [])
        let expression = none.expression(port: 862, isIPv4: isIPv4)
        #expect(expression.contains(isIPv4 ? "dst host 0.0.0.0" : "dst host ::"))
        #expect(none.addressesToCheck == nil)
        _ = try EndpointSocket.compile(expression, isIPv4: isIPv4)
    }
}
