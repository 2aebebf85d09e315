import Testing

@testable import Report

@Suite struct PCAPNGTests {
    private func capture() -> PCAPNG {
        var capture = PCAPNG(application: "probe")
        let eth0 = capture.interface("eth0", .ethernet)
        let packet: [UInt8] = [1, 2, 3, 4, 5]
        capture.append(
            packet.span.bytes, wholeLength: 60, interface: eth0, time: 0x0102_0304_0506_0708, direction: .in,
            comment: "rate 1/10")
        return capture
    }

    /// Written by hand from the format's draft.
    private static let golden: [[UInt8]] = [
        // Section header: magic, 1.0, no length, shb_userappl, end.
        [0x0A, 0x0D, 0x0D, 0x0A, 44, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0]
            + [UInt8](repeating: 0xFF, count: 8) + [4, 0, 5, 0] + Array("probe".utf8) + [0, 0, 0]
            + [0, 0, 0, 0, 44, 0, 0, 0],
        // Interface description: Ethernet, no limit, if_name, if_tsresol of 9, end.
        [1, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 4, 0] + Array("eth0".utf8)
            + [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0],
        // Enhanced packet: interface, time, lengths, data, opt_comment, epb_flags, end.
        [6, 0, 0, 0, 68, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, 5, 0, 0, 0, 60, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0]
            + [1, 0, 9, 0] + Array("rate 1/10".utf8) + [0, 0, 0] + [2, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 68, 0, 0, 0],
    ]

    @Test func `Each block has the bytes of the format`() {
        let bytes = capture().bytes
        #expect(bytes == Self.golden.flatMap { $0 })
    }

    @Test func `An interface is described once, before its first packet`() {
        var capture = PCAPNG(application: "probe")
        #expect(capture.interface("a", .ethernet) == 0 && capture.interface("b", .rawIP) == 1)
        let length = capture.bytes.count
        #expect(capture.interface("a", .ethernet) == 0 && capture.bytes.count == length)
    }

    @Test func `The whole blocks of a truncated file are found`() {
        let bytes = capture().bytes
        let ends = Self.golden.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
        for limit in 0...bytes.count {
            #expect(PCAPNG.wholeBlocks(bytes, within: limit) == ends.last { $0 <= limit })
        }
        #expect(PCAPNG.wholeBlocks([UInt8](repeating: 0, count: 64), within: 64) == 0)
    }

    @Test func `Values beyond the format are truncated`() {
        var capture = PCAPNG(application: String(repeating: "x", count: 100_000))
        let name = capture.interface(String(repeating: "y", count: 70_000), .ethernet)
        let none: [UInt8] = []
        capture.append(
            none.span.bytes, wholeLength: -1, interface: name, time: -1, direction: .unknown,
            comment: String(repeating: "z", count: 65_536))
        let bytes = capture.bytes
        #expect(PCAPNG.wholeBlocks(bytes, within: bytes.count) == bytes.count && bytes.count % 4 == 0)
    }
}
