import Testing

@testable import Report

@Suite struct RunDescriptionReadingTests {
    private func description() -> RunDescription {
        var description = RunDescription()
        description.set(version: "0.1.0")
        description.set(host: "ñandú \"x\"\n")
        description.set(kernel: "6.18.5")
        description.set(interface: "eth0")
        description.set(session: 0xFEDC_BA98_7654_3210)
        description.set(started: sampleTime)
        description.set(options: [("count", .unsigned(.max)), ("dscp", .integer(46)), ("size", .null)])
        description.set(clockSynchronized: true, maxError: 1_234_567, estimatedError: nil)
        description.set(peers: [[("address", .string("192.0.2.2")), ("error_bound_ns", .integer(-1))]])
        description.set("duration_ns", .integer(.max))
        description.set("ratio", .number(0.25))
        return description
    }

    @Test func `A description is read as it was written, exact to the nanosecond`() throws {
        let written = description()
        let read = try RunDescription(json: Array(written.json().utf8))
        #expect(read == written)
        #expect(read.version == "0.1.0" && read.host == "ñandú \"x\"\n" && read.kernel == "6.18.5")
        #expect(read.interface == "eth0" && read.session == 0xFEDC_BA98_7654_3210)
        #expect(read.started == sampleTime && read.duration == .max)
        #expect(read.option("count") == .unsigned(.max) && read.option("dscp")?.integer == 46)
        #expect(read.option("size") == .null && read.option("ttl") == nil)
        #expect(read.isClockSynchronized == true)
        #expect(read.peers.first?["address"]?.text == "192.0.2.2" && read.peers.first?["error_bound_ns"]?.integer == -1)
        #expect(read["ratio"] == .number(0.25))
    }

    @Test func `Missing facts are nil`() throws {
        let read = try RunDescription(json: Array("{}".utf8))
        #expect(read.session == nil && read.started == nil && read.duration == nil && read.peers.isEmpty)
        #expect(read == RunDescription())
    }

    @Test(arguments: ["", "[]", "1", "{\"a\":1", "{\"a\":1}x", "nul", "{\"a\":\"\u{1}\"}"])
    func `Text that is not one object is an error`(text: String) {
        #expect(throws: JSONError.self) { try RunDescription(json: Array(text.utf8)) }
    }

    @Test func `Deep nesting is an error, and does not overflow the stack`() {
        let deep = String(repeating: "{\"a\":[", count: 100_000)
        #expect(throws: JSONError.self) { try RunDescription(json: Array(deep.utf8)) }
    }

    @Test func `Random bytes are errors`() {
        var generator = SplitMix(state: 17)
        for _ in 0..<500 {
            let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(throws: JSONError.self) { try JSONValue(json: bytes + [0x7B]) }
        }
    }
}
