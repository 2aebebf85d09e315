import Testing

@testable import Netlink
@testable import PSample

/// Whole samples, cut and changed at every place. None may trap, lead outside of the message, or be taken for whole.
@Suite struct HostileSampleTests {
    /// Attributes with everything in them, and those of real samples.
    private static let wholes =
        [EveryAttribute.ipv4, EveryAttribute.ipv6] + Captured.samples.map { Array($0.dropFirst(20)) }

    /// The places at which an attribute, or its padding, ends.
    private func ends(_ attributes: [UInt8]) -> Set<Int> {
        attributes.withUnsafeBytes { raw in
            var reader = AttributeReader(raw)
            var place = 0
            var ends: Set = [0]
            while reader.next() {
                let end = place + 4 + reader.payload.count
                place = (end + 3) & ~3
                ends.formUnion(end...place)
            }
            return ends
        }
    }

    @Test(arguments: wholes)
    func `a sample cut within an attribute is an error`(whole: [UInt8]) {
        let ends = ends(whole)
        for count in 0..<whole.count where !ends.contains(count) {
            #expect(throws: NetlinkFormatError.self, "cut to \(count) bytes") { try decode(Array(whole.prefix(count))) }
        }
    }

    @Test(arguments: wholes)
    func `every byte with every value`(whole: [UInt8]) {
        for place in whole.indices {
            var changed = whole
            for value in UInt8.min ... .max {
                changed[place] = value
                guard let packet = try? decode(changed) else { continue }
                // Whatever it is taken for is within the message.
                #expect(packet.data.count <= whole.count)
            }
        }
    }

    @Test func `any bytes`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50_000 {
            let count = Int.random(in: 0...256, using: &generator)
            let bytes = (0..<count).map { _ in
                // Small numbers, of which lengths and types are made.
                Bool.random(using: &generator) ? UInt8.random(in: 0...20, using: &generator) : .random(in: 0...255)
            }
            _ = try? decode(bytes)
        }
    }
}
