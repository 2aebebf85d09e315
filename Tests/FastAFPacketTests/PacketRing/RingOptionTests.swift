import FastAFPacket
import Foundation
import LinuxKernel
import Testing

/// Options and fanout groups of rings.
@Suite(.needsRoot, .vethPair)
struct RingOptionTests {
    @Test("Rings in a group share the packets in turn, and continue when one is closed")
    func loadBalance() throws {
        let pair = try VethPair.current
        let sender = try pair.listen(.left)
        let rings = try (0..<2).map { _ throws in try pair.ring(.right) }
        let group = try rings[0].joinFanout(Fanout(.loadBalance))
        #expect(try rings[1].joinFanout(group) == group)
        try sender.sendFrames(0..<20)
        let shares = try rings.map { ring throws in try ring.readNumbers(10) }
        #expect(shares.map(\.count) == [10, 10] && Set(shares.joined()) == Set(0..<20))
        #expect(shares.allSatisfy { share in share.allSatisfy { $0 % 2 == share[0] % 2 } })
        rings[0].close()
        try sender.sendFrames(20..<30)
        #expect(try rings[1].readNumbers(10) == Array(20..<30))
    }

    @Test("A filter of the group chooses the ring, and a closed ring cannot join")
    func chosen() throws {
        let pair = try VethPair.current
        let rings = try (0..<2).map { _ throws in try pair.ring(.right) }
        let group = try rings[0].joinFanout(Fanout(.filter))
        try rings[1].joinFanout(group)
        // The last byte of the frame's number, after the Ethernet header.
        try rings[0].setFanoutFilter(
            Filter(instructions: [.init(code: 0x30, k: 3), .init(code: 0x54, k: 1), .init(code: 0x16, k: 0)]))
        try pair.listen(.left).sendFrames(0..<10)
        #expect(try rings[0].readNumbers(5) == [0, 2, 4, 6, 8])
        #expect(try rings[1].readNumbers(5) == [1, 3, 5, 7, 9])
        rings[1].close()
        #expect(errorCode { () throws(SystemError) in try rings[1].joinFanout(group) } == EBADF)
        #expect(errorCode { () throws(SystemError) in try rings[1].setFanoutFilter(.dropAll) } == EBADF)
    }

    @Test("The interface is promiscuous only while the ring is open", arguments: [true, false])
    func promiscuous(isRead: Bool) throws {
        let pair = try VethPair.current
        let isPromiscuous = {
            try pair.output(.right, ["ip", "-d", "link", "show", "dev", VethPair.interfaceName])
                .contains("promiscuity 1")
        }
        let ring = try pair.ring(.right) {
            $0.options.promiscuous = true
            $0.pollTimeout = nil
        }
        #expect(try isPromiscuous())
        let reader = Background { () throws(RingError) in if isRead { try ring.readBlock { _, _ in } } }
        if isRead { try reader.untilBlocked() }
        ring.close()
        _ = try reader.result()
        #expect(try !isPromiscuous())
    }

    @Test("A ring that is closed while a packet is handled leaves promiscuous mode at once")
    func promiscuousWhileReading() throws {
        let pair = try VethPair.current
        let ring = try pair.ring(.right) { $0.options.promiscuous = true }
        try pair.listen(.left).sendFrames([1])
        var link = ""
        try ring.readBlock { _, _ in
            ring.close()
            link = (try? pair.output(.right, ["ip", "-d", "link", "show", "dev", VethPair.interfaceName])) ?? ""
        }
        #expect(link.contains("promiscuity 0"))
    }

    @Test("Frames of this host are received unless they are excluded")
    func outgoing() throws {
        let pair = try VethPair.current
        let both = try pair.ring(.left) { $0.etherType = 3 }
        let others = try pair.ring(.left) {
            $0.etherType = 3
            $0.options.ignoreOutgoing = true
        }
        try pair.listen(.left).sendFrames([1])
        try pair.listen(.right).sendFrames([2], from: .right)
        var heard: Set<UInt32> = []
        while !heard.isSuperset(of: [1, 2]) { try heard.formUnion(both.readNumbers(1)) }
        #expect(try !others.readNumbers(1).contains(1))
    }

    @Test("Options that need an interface or do not apply to a ring are rejected by name")
    func refused() throws {
        let pair = try VethPair.current
        let interface = try pair.interface(.right)
        let cases: [(Interface?, String, (inout PacketRing.Configuration) -> Void)] = [
            (nil, "promiscuous", { $0.options.promiscuous = true }),
            (nil, "bindToDevice", { $0.options.bindToDevice = true }),
            (interface, "virtio", { $0.options.virtioNetHeader = true }),
        ]
        for (interface, word, change) in cases {
            var failure: SystemError?
            do throws(SystemError) { _ = try pair.ring(.right, on: interface, change) } catch { failure = error }
            #expect(failure?.remedy?.contains(word) == true)
        }
    }
}
