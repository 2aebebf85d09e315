import FastAFPacket
import LinuxKernel
import NetworkAddresses
import Testing

@testable import probe

@Suite struct ProbeErrorTests {
    @Test(
        arguments: [
            (ProbeError.internalFault(""), 1), (.noReply(""), 2), (.noInterface(""), 3), (.noRoute(""), 4),
            (.noPrivilege(""), 5), (.portInUse(""), 6), (.file(""), 7), (.usage(""), 64),
        ] as [(ProbeError, Int32)])
    func `Each error has the exit code that the help documents`(_ error: ProbeError, _ code: Int32) {
        #expect(error.exitCode == code)
        #expect(ProbeError.exitCodes.split(separator: "\n").contains { $0.hasPrefix("  \(code) ") })
    }

    @Test(
        arguments: [
            (1, 5), (13, 5), (6, 3), (19, 3), (100, 3), (98, 6), (12, 1), (22, 1), (5, 1), (0, 1), (-1, 1),
        ] as [(Int32, Int32)])
    func `An errno has the exit code of its meaning`(_ code: Int32, _ expected: Int32) {
        let error = ProbeError.system(SystemError("do it", code: code))
        #expect(error.exitCode == expected)
        #expect(error.description.contains("do it"))
    }

    @Test func `An error is printed as its message, without the name of its case`() {
        #expect("\(ProbeError.noRoute("no way"))" == "no way")
        #expect("\(ProbeError.file("disk"))" == "disk")
    }

    @Test(arguments: [(19, 3), (98, 6)] as [(Int32, Int32)])
    func `A wrapped errno keeps its code`(_ code: Int32, _ expected: Int32) {
        let error = #expect(throws: ProbeError.self) {
            try ProbeError.system { () throws(SystemError) in throw SystemError("try", code: code) }
        }
        #expect(error?.exitCode == expected)
    }
}

@Suite struct AdmissionTests {
    private func network(_ text: String) throws -> IPNetwork { try #require(IPNetwork(text)) }
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func `Without networks all sources are answered`() throws {
        let admission = Admission(sources: [], destinations: [try address("10.0.0.1")])
        #expect(admission.expression(port: 862, isIPv4: true) == "udp and dst port 862 and (dst host 10.0.0.1)")
        _ = try Filter(expression: "ip and " + admission.expression(port: 862, isIPv4: true))
    }

    @Test func `Without a local address nothing is answered`() throws {
        let admission = Admission(sources: [], destinations: [])
        #expect(admission.expression(port: 862, isIPv4: true) == "udp and dst port 862 and (dst host 0.0.0.0)")
        #expect(admission.expression(port: 862, isIPv4: false) == "udp and dst port 862 and (dst host ::)")
        _ = try Filter(expression: "ip6 and " + admission.expression(port: 862, isIPv4: false))
    }

    @Test func `A probe must match one of the networks and one of the local addresses`() throws {
        let admission = Admission(
            sources: [try network("192.0.2.0/24"), try network("198.51.100.7/32")],
            destinations: [try address("10.0.0.1"), try address("10.0.0.2")])
        #expect(
            admission.expression(port: 8620, isIPv4: true)
                == "udp and dst port 8620 and (dst host 10.0.0.1 or dst host 10.0.0.2) "
                + "and (src net 192.0.2.0/24 or src net 198.51.100.7/32)")
        _ = try Filter(expression: "ip and " + admission.expression(port: 8620, isIPv4: true))
    }

    @Test(arguments: ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.128/25", "192.0.2.7", "255.255.255.255/32"])
    func `The filter for any IPv4 network compiles`(_ text: String) throws {
        let admission = Admission(sources: [try network(text)], destinations: [try address("192.0.2.1")])
        _ = try Filter(expression: "ip and " + admission.expression(port: 862, isIPv4: true))
    }

    @Test(arguments: ["::/0", "2001:db8::/32", "fd00::/64", "fe80::1", "::ffff:192.0.2.1/128", "2001:db8::2/127"])
    func `The filter for any IPv6 network compiles`(_ text: String) throws {
        let admission = Admission(sources: [try network(text)], destinations: [try address("fe80::1")])
        _ = try Filter(expression: "ip6 and " + admission.expression(port: 862, isIPv4: false))
    }

    @Test func `The filter of a host with 64 addresses compiles`() throws {
        let local = (0..<64).map { IPAddress.v4(0x0A00_0000 + $0) }
        let admission = Admission(sources: [try network("10.0.0.0/8")], destinations: local)
        _ = try Filter(expression: "ip and " + admission.expression(port: 862, isIPv4: true))
    }

    @Test func `Admissions are equal if their networks and addresses are`() throws {
        let first = Admission(sources: [], destinations: [try address("10.0.0.1")])
        let second = Admission(sources: [], destinations: [try address("10.0.0.2")])
        #expect(first != second)
        #expect(first != Admission(sources: [try network("192.0.2.0/24")], destinations: first.destinations))
        #expect(first == Admission(sources: [], destinations: [try address("10.0.0.1")]))
    }
}
