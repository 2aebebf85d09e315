import NetworkAddresses
import STAMPWire
import Testing

@Suite("IPv6 extension headers")
struct IPv6ExtensionHeaderTests {
    /// Returns a frame with `headers` between the fixed header, whose next header is `first`, and a UDP datagram.
    private func frame(first: UInt8, headers: [UInt8]) -> [UInt8] {
        var frame = Array(Golden.ipv6.prefix(54)) + headers + Array(Golden.ipv6.suffix(11))
        frame[20] = first
        frame[18] = UInt8((headers.count + 11) >> 8)
        frame[19] = UInt8((headers.count + 11) & 0xFF)
        return frame
    }

    private func header(next: UInt8, units: UInt8 = 0) -> [UInt8] {
        [next, units, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: Int(units) * 8)
    }

    @Test("Hop-by-hop, destination and routing headers are skipped by their lengths")
    func skipped() throws {
        let frame = try decodeFrame(Golden.ipv6Extended).get()
        #expect(frame.payload == 102..<105)
        #expect(frame.sourcePort == 49153)
    }

    @Test("A header of the largest length is skipped")
    func longest() throws {
        let frame = frame(first: 60, headers: header(next: 17, units: 255))
        #expect(try decodeFrame(frame).get().payload.upperBound == frame.count)
    }

    @Test("Eight extension headers are accepted, a ninth is rejected")
    func bounded() {
        let eight = [[UInt8]](repeating: header(next: 60), count: 7).flatMap { $0 } + header(next: 17)
        #expect(frameError(frame(first: 60, headers: eight)) == nil)
        #expect(frameError(frame(first: 60, headers: header(next: 60) + eight)) == .badHeader)
    }

    @Test("A chain without UDP ends with the packet")
    func endless() {
        let chain = [[UInt8]](repeating: header(next: 60), count: 4).flatMap { $0 }
        var packet = Array(Golden.ipv6.prefix(54)) + chain
        packet[20] = 60
        packet[19] = UInt8(chain.count)
        #expect(frameError(packet) == .badHeader)
    }

    @Test("Hop-by-hop options are accepted only directly after the fixed header")
    func hopByHopFirst() {
        #expect(frameError(frame(first: 0, headers: header(next: 17))) == nil)
        #expect(frameError(frame(first: 60, headers: header(next: 0) + header(next: 17))) == .badHeader)
        #expect(frameError(frame(first: 0, headers: header(next: 0) + header(next: 17))) == .badHeader)
    }

    @Test("An extension header that runs past the payload is rejected", arguments: [1, 2, 200, 255] as [UInt8])
    func overlong(units: UInt8) {
        var packet = frame(first: 60, headers: header(next: 17))
        packet[55] = units
        // One more unit covers eight of the eleven UDP bytes and leaves too few for a UDP header.
        #expect(frameError(packet) == .badHeader)
    }

    @Test("An extension header with fewer than eight bytes left is rejected", arguments: 1..<8)
    func cut(count: Int) {
        var packet = Array(Golden.ipv6.prefix(54)) + [UInt8](repeating: 0, count: count)
        packet[20] = 60
        packet[19] = UInt8(count)
        #expect(frameError(packet) == .badHeader)
        // Bytes after the payload are not a header of this packet.
        #expect(frameError(packet + header(next: 17)) == .badHeader)
    }

    @Test("A fragment header marks a fragment at any position")
    func fragment() {
        #expect(frameError(frame(first: 44, headers: header(next: 17))) == .fragment)
        #expect(frameError(frame(first: 0, headers: header(next: 44) + header(next: 17))) == .fragment)
    }

    @Test("A routing header with segments left is rejected")
    func segmentsLeft() {
        var packet = frame(first: 43, headers: header(next: 17))
        #expect(frameError(packet) == nil)
        packet[57] = 1
        #expect(frameError(packet) == .badHeader)
    }

    @Test("An unknown next header is not UDP", arguments: [6, 50, 51, 58, 59, 135, 255] as [UInt8])
    func unknown(next: UInt8) {
        #expect(frameError(frame(first: 60, headers: header(next: next) + header(next: 17))) == .notUDP)
    }
}
