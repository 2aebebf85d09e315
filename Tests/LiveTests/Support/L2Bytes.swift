/// Non-IP frames built by the offsets of docs/l2-frame.md, independently of the library under test.
struct L2Bytes {
    var tag: UInt16?
    var isPTP = false
    var magic: UInt32 = 0x4F57_4C32
    var sourcePort: UInt16 = 50_000
    var destinationPort: UInt16 = 862
    var destinationMAC: String?

    /// Returns a frame with `packet` from one side to the other.
    func frame(_ packet: [UInt8], from side: Lab.Side) -> [UInt8] {
        func octets(_ mac: String) -> [UInt8] { mac.split(separator: ":").map { UInt8($0, radix: 16)! } }
        let source = octets(Lab.mac(side))
        var bytes = octets(destinationMAC ?? Lab.mac(side.other)) + source
        if let tag { bytes += [0x81, 0] + Bytes.big(tag) }
        let content: [UInt8] =
            Bytes.big(magic) + [1, 0] + Bytes.big(UInt16(packet.count)) + Bytes.big(sourcePort)
            + Bytes.big(destinationPort) + packet
        guard isPTP else { return bytes + [0x88, 0xB5] + content }
        let length = content.count + content.count % 2
        bytes += [0x88, 0xF7, 0, 2] + Bytes.big(UInt16(48 + length)) + [127, 0, 4, 0]
        bytes += [UInt8](repeating: 0, count: 12) + source[..<3] + [0xFF, 0xFE] + source[3...] + [0, 1, 0, 9, 0, 0x7F]
        bytes += [UInt8](repeating: 0, count: 10) + [0x20, 0x04] + Bytes.big(UInt16(length)) + content
        return bytes + [UInt8](repeating: 0, count: length - content.count)
    }
}

/// The fields of a non-IP frame, read by the offsets of docs/l2-frame.md.
struct L2WireFrame: Sendable {
    let bytes: [UInt8]
    let destinationMAC: [UInt8]
    let sourceMAC: [UInt8]
    /// The VLAN tag in the frame. Only the sending side sees it: on receive the kernel removes it.
    let tag: UInt16?
    let isPTP: Bool
    let sourcePort: UInt16
    let destinationPort: UInt16
    let packet: [UInt8]
    let ptpSequence: UInt16

    /// Returns `nil` for any other frame.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 60 else { return nil }
        self.bytes = bytes
        destinationMAC = Array(bytes[..<6])
        sourceMAC = Array(bytes[6..<12])
        let isTagged = bytes[12] == 0x81 && bytes[13] == 0
        tag = isTagged ? Bytes.read(bytes, 14, as: UInt16.self) : nil
        var start = isTagged ? 18 : 14
        let type = Bytes.read(bytes, start - 2, as: UInt16.self)
        guard type == 0x88B5 || type == 0x88F7 else { return nil }
        isPTP = type == 0x88F7
        ptpSequence = isPTP ? Bytes.read(bytes, start + 30, as: UInt16.self) : 0
        if isPTP { start += 48 }
        guard bytes.count >= start + 12, Bytes.read(bytes, start, as: UInt32.self) == 0x4F57_4C32 else { return nil }
        let length = Int(Bytes.read(bytes, start + 6, as: UInt16.self))
        sourcePort = Bytes.read(bytes, start + 8, as: UInt16.self)
        destinationPort = Bytes.read(bytes, start + 10, as: UInt16.self)
        guard bytes.count >= start + 12 + length else { return nil }
        packet = Array(bytes[start + 12..<start + 12 + length])
    }
}
