/// STAMP packets built by the offsets of RFC 8762 and RFC 8972, independently of the library under test.
enum Bytes {
    static func big<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    static func read<Value: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int, as: Value.Type) -> Value {
        bytes[offset..<offset + Value.bitWidth / 8].reduce(0) { $0 << 8 | Value($1) }
    }

    /// A probe of 44 bytes, followed by TLVs.
    static func probe(_ sequence: UInt32, ssid: UInt16 = 1, t1: UInt64 = 0xE900_0000_8000_0000, tlvs: [UInt8] = [])
        -> [UInt8]
    {
        big(sequence) + big(t1) + big(UInt16(0x0101)) + big(ssid) + [UInt8](repeating: 0, count: 28) + tlvs
    }

    /// A reply of 44 bytes to a probe, from a reflector whose timestamps all equal the probe's T1.
    static func reply(to probe: [UInt8], sequence: UInt32? = nil) -> [UInt8] {
        let t1 = Array(probe[4..<12])
        return big(sequence ?? read(probe, 0, as: UInt32.self)) + t1 + Array(probe[12..<16]) + t1
            + Array(probe[0..<4]) + t1 + Array(probe[12..<14]) + [0, 0, 255, 0, 0, 0]
    }

    static func tlv(_ type: UInt8, _ value: [UInt8], flags: UInt8 = 0x80) -> [UInt8] {
        [flags, type] + big(UInt16(value.count)) + value
    }

    /// A frame with the sides' addresses and correct checksums. IPv4 and UDP: RFC 791, RFC 768.
    static func frame(
        _ payload: [UInt8], from side: Lab.Side, sourcePort: UInt16, destinationPort: UInt16,
        source: String? = nil, destination: String? = nil, destinationMAC: String? = nil
    ) -> [UInt8] {
        func octets(_ mac: String) -> [UInt8] { mac.split(separator: ":").map { UInt8($0, radix: 16)! } }
        func octets(address: String) -> [UInt8] { address.split(separator: ".").map { UInt8($0)! } }
        let udpLength = UInt16(payload.count + 8)
        let addresses =
            octets(address: source ?? Lab.ipv4(side)) + octets(address: destination ?? Lab.ipv4(side.other))
        var ip: [UInt8] = [0x45, 0] + big(udpLength + 20) + [0, 0, 0x40, 0, 64, 17, 0, 0] + addresses
        ip.replaceSubrange(10..<12, with: big(checksum(ip)))
        var udp = big(sourcePort) + big(destinationPort) + big(udpLength) + [0, 0] + payload
        let sum = checksum(addresses + [0, 17] + big(udpLength) + udp)
        udp.replaceSubrange(6..<8, with: big(sum == 0 ? 0xFFFF : sum))
        return octets(destinationMAC ?? Lab.mac(side.other)) + octets(Lab.mac(side)) + [8, 0] + ip + udp
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(index + 1 < bytes.count ? bytes[index + 1] : 0)
        }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(sum)
    }
}

/// A pseudorandom generator whose numbers are the same in each run: SplitMix64.
struct RepeatableRandom: RandomNumberGenerator {
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
}
