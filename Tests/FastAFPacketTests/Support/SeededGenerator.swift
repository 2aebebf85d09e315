/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }

    /// Up to 120 random bytes. Many contain plausible lengths of control messages, so that the iteration goes deep.
    mutating func controlData() -> [UInt8] {
        var bytes = bytes(Int.random(in: 0...120, using: &self))
        for position in stride(from: 0, to: bytes.count - 8, by: 24) where Bool.random(using: &self) {
            let length = Int.random(in: 0...40, using: &self)
            withUnsafeBytes(of: length) { bytes.replaceSubrange(position..<position + 8, with: $0) }
        }
        return bytes
    }
}
