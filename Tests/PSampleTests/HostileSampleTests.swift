import Testing

@testable import Netlink
@testable import PSample

/// Valid samples, truncated and modified at every byte. None may trap, expose bytes outside the message, or decode as a
/// complete sample when truncated.
@Suite struct HostileSampleTests {
    /// A sample with every attribute, and real samples.
    private static let wholes =
        [EveryAttribute.ipv4, EveryAttribute.ipv6] + Captured.samples.map { Array($0.dropFirst(20)) }

    /// The offsets at which an attribute or its padding ends.
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
    func `A sample truncated within an attribute is an error`(whole: [UInt8]) {
        let ends = ends(whole)
        for count in 0..<whole.count where !ends.contains(count) {
            #expect(throws: NetlinkFormatError.self, "truncated to \(count) bytes") {
                try decode(Array(whole.prefix(count)))
            }
        }
    }

    @Test(arguments: wholes)
    func `A sample with one changed byte decodes within the message or is rejected`(whole: [UInt8]) {
        var rejected = 0
        for place in whole.indices {
            var changed = whole
            for value in UInt8.min ... .max {
                changed[place] = value
                guard let packet = try? decode(changed) else {
                    rejected += 1
                    continue
                }
                #expect(packet.data.count + packet.tunnelOptions.count + (packet.userCookie?.count ?? 0) <= whole.count)
            }
        }
        // Each length has two bytes, and most of their values lead outside the sample.
        #expect(rejected > whole.count)
    }

    @Test func `Random bytes decode within the message or are rejected`() {
        let seed: UInt64 = 0x9E37_79B9_7F4A_7C15
        var generator = Xorshift(state: seed)
        var rejected = 0
        for round in 0..<50_000 {
            let count = Int.random(in: 0...256, using: &generator)
            let bytes = (0..<count).map { _ in
                // Lengths and types are small numbers.
                UInt8.random(in: Bool.random(using: &generator) ? 0...20 : 0...255, using: &generator)
            }
            guard let packet = try? decode(bytes) else {
                rejected += 1
                continue
            }
            #expect(
                packet.data.count + packet.tunnelOptions.count + (packet.userCookie?.count ?? 0) <= count,
                "round \(round) of seed \(seed)")
        }
        #expect(rejected > 40_000 && rejected < 50_000)
    }
}

/// A pseudo-random sequence that is the same in every run.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
