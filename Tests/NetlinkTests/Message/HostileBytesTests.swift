import CLinux
import Testing

@testable import Netlink

/// Real answers, truncated and modified at every byte. None may trap, expose bytes outside the datagram, or decode as
/// complete when truncated.
@Suite struct HostileBytesTests {
    /// Runs every decoder and returns the number of decoded values.
    private func decodeEverything(_ datagram: [UInt8]) throws(NetlinkFormatError) -> Int {
        let values = try decodeAll(datagram) { message throws(NetlinkFormatError) -> Int? in
            var count = 0
            if try Route(message) != nil { count += 1 }
            if try Neighbour(message) != nil { count += 1 }
            if try InterfaceAddress(message) != nil { count += 1 }
            if try Link(message) != nil { count += 1 }
            if message.type == UInt16(NLMSG_ERROR) || message.type == UInt16(NLMSG_DONE) {
                _ = try Acknowledgement(message)
                count += 1
            }
            return count
        }
        return values.reduce(0, +)
    }

    /// The offsets at which a datagram's messages end.
    private func messageEnds(_ datagram: [UInt8]) throws -> Set<Int> {
        var end = 0
        return Set(
            try decodeAll(datagram) { message in
                end += NetlinkMessage.headerLength + message.payload.count
                return end
            })
    }

    @Test(arguments: Captured.all) func `A complete datagram decodes`(datagram: [UInt8]) throws {
        #expect(try decodeEverything(datagram) == messageEnds(datagram).count)
    }

    @Test(arguments: Captured.all) func `A datagram truncated within a message is an error`(datagram: [UInt8]) throws {
        let ends = try messageEnds(datagram)
        for count in 1..<datagram.count where !ends.contains(count) {
            #expect(throws: NetlinkFormatError.self, "truncated to \(count) bytes") {
                try decodeEverything(Array(datagram.prefix(count)))
            }
        }
    }

    @Test(arguments: [
        (Captured.routeThroughGateway, 12), (Captured.routeThroughIPv6Gateway, 12),
        (Captured.routeThroughGatewayIPv6, 12), (Captured.neighbourStale, 12), (Captured.neighbourPermanentIPv6, 12),
    ])
    func `A message that ends within an attribute is an error`(datagram: [UInt8], fixed: Int) throws {
        // The offsets at which an attribute or its padding ends.
        var ends: Set = [16 + fixed]
        var place = 16 + fixed
        _ = walk(Array(datagram.dropFirst(place))) { reader in
            let end = place + 4 + reader.payload.count
            place += 4 + (reader.payload.count + 3) & ~3
            ends.formUnion(end...place)
        }
        #expect(place == datagram.count)
        for count in 16..<datagram.count where !ends.contains(count) {
            let cut = native(UInt32(count)) + datagram[4..<count]
            #expect(throws: NetlinkFormatError.self, "shortened to \(count) bytes") { try decodeEverything(cut) }
        }
    }

    @Test(arguments: Captured.all) func `A changed byte never exposes bytes outside the datagram`(datagram: [UInt8]) {
        for place in datagram.indices {
            for mask: UInt8 in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF] {
                var changed = datagram
                changed[place] ^= mask
                // It decodes to other values, or is rejected.
                if let values = try? decodeEverything(changed) { #expect(values <= datagram.count / 16) }
                #expect(staysInside(changed), "byte \(place) changed by \(mask)")
            }
        }
    }

    /// Returns whether every payload that the readers return lies within the datagram.
    private func staysInside(_ datagram: [UInt8]) -> Bool {
        datagram.withUnsafeBytes { raw in
            func isInside(_ part: UnsafeRawBufferPointer, of whole: UnsafeRawBufferPointer) -> Bool {
                guard let start = part.baseAddress, let base = whole.baseAddress else { return part.isEmpty }
                return start >= base && start + part.count <= base + whole.count
            }
            var messages = MessageReader(raw)
            while let message = messages.next() {
                if !isInside(message.payload, of: raw) { return false }
                for offset in [0, 4, 8, 12, 16, 20, 36] {
                    var reader = message.attributes(from: offset)
                    while reader.next() {
                        if !isInside(reader.payload, of: message.payload) { return false }
                    }
                }
            }
            return true
        }
    }

    @Test func `Random bytes are decoded or rejected`() {
        var generator = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
        var rejected = 0
        for _ in 0..<20000 {
            var datagram = (0..<Int.random(in: 0...96, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            // A plausible length and type, so that the rest reaches the decoders.
            if datagram.count >= 16 {
                datagram.replaceSubrange(0..<4, with: native(UInt32(datagram.count)))
                let type = [2, 3, 16, 20, 24, 28].randomElement(using: &generator) ?? 2
                datagram.replaceSubrange(4..<6, with: native(UInt16(type)))
            }
            do { _ = try decodeEverything(datagram) } catch { rejected += 1 }
        }
        #expect(rejected > 5000 && rejected < 20000)
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
