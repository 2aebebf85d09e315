import FastAFPacket

/// Prints a packet's metadata and first bytes.
func printLine(_ bytes: RawSpan, _ packet: borrowing RingPacket) {
    let first = bytes.withUnsafeBytes { bytes in
        bytes.prefix(32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    let tag = packet.vlanTag.map { " vlan=\($0 & 0x0FFF)" } ?? ""
    print(
        "stamp=\(packet.stamp) source=\(packet.stampSource) interface=\(packet.interfaceIndex) "
            + "length=\(packet.length) captured=\(packet.capturedLength)\(tag) bytes=\(first)")
}
