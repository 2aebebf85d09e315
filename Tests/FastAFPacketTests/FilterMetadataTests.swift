import FastAFPacket
import LinuxKernel
import NetworkAddresses
import Testing

/// Filters on metadata, with real frames, including tagged ones whose tag the kernel removes.
@Suite(.needsRoot, .vethPair)
struct FilterMetadataTests {
    /// A numbered frame with an 802.1Q tag after the addresses.
    private func tagged(_ number: UInt32, _ information: UInt16, type: UInt16 = 0x8100) -> [UInt8] {
        var bytes = frame(number)
        let tag = [type, information].flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        bytes.insert(contentsOf: tag, at: 12)
        return bytes
    }

    private static let experimental = "ether proto 0x88b5"

    /// The numbers and tags of the frames that pass, up to the last one, whose number is 99.
    private func passing(
        _ filter: (Filter) -> Filter, _ frames: [[UInt8]], last: [UInt8]
    ) throws -> [(number: UInt32, tag: UInt16?)] {
        let pair = try VethPair.current
        let filter = filter(try Filter(expression: Self.experimental))
        let receiver = try pair.listen(.right, etherType: 3) { $0.filter = filter }
        let sender = try pair.listen(.left)
        for bytes in frames + [last] { try sender.writeTo(bytes, id: 0) }
        var found: [(number: UInt32, tag: UInt16?)] = []
        // The last frame shows that earlier ones were dropped and not merely slow.
        while found.last?.number != 99 {
            let before = found.count
            try receiver.receiveAll(1) { bytes, packet in found.append((number(in: bytes), packet.vlanTag)) }
            try #require(found.count > before, "the last frame did not arrive")
        }
        return found
    }

    private var mixed: [[UInt8]] {
        [
            frame(0), tagged(1, 7), tagged(2, 0xA007), tagged(3, 0xE000), tagged(4, 8), tagged(5, 7, type: 0x88A8),
            tagged(6, 0x1000), tagged(7, 4094), tagged(8, 0x0107),
        ]
    }

    @Test("onlyVLAN passes all priorities of its VLAN, and no neighbouring VLAN or provider tag")
    func vlan() throws {
        let found = try passing({ $0.onlyVLAN(7) }, mixed, last: tagged(99, 0xE007))
        #expect(found.map(\.number) == [1, 2, 99])
        #expect(found.map(\.tag) == [7, 0xA007, 0xE007])
        #expect(try passing({ $0.onlyVLAN(4094) }, mixed, last: tagged(99, 4094)).map(\.number) == [7, 99])
    }

    @Test("onlyVLAN(0) passes untagged frames and frames with a priority tag")
    func untagged() throws {
        let found = try passing({ $0.onlyVLAN(0) }, mixed, last: frame(99))
        #expect(found.map(\.number) == [0, 3, 6, 99])
        #expect(found.map(\.tag) == [nil, 0xE000, 0x1000, nil])
    }

    @Test("A filter that rejects a frame still rejects it in any VLAN")
    func both() throws {
        let pair = try VethPair.current
        let other = try Filter(expression: "ether proto 0x88b6").onlyVLAN(7).onlyToThisHost()
        let receiver = try pair.listen(.right, etherType: 3) { $0.filter = other }
        let sender = try pair.listen(.left)
        try sender.writeTo(tagged(1, 7), id: 0)
        var second = tagged(2, 7)
        second[17] = 0xB6
        try sender.writeTo(second, id: 0)
        #expect(try receiver.receiveNumbers(1) == [2])
    }

    @Test("onlyToThisHost drops multicast, broadcast, other hosts' frames and frames of this host")
    func host() throws {
        let pair = try VethPair.current
        let filter = try Filter(expression: Self.experimental).onlyToThisHost()
        let receiver = try pair.listen(.right, etherType: 3) {
            $0.filter = filter
            $0.options.promiscuous = true
            $0.options.ignoreOutgoing = false
        }
        let sender = try pair.listen(.left)
        try pair.listen(.right).writeTo(frame(5, from: .right), id: 0)
        for (number, destination) in [
            (UInt32(1), [255, 255, 255, 255, 255, 255]), (2, [1, 0, 94, 0, 0, 1]), (3, [2, 0, 0, 0, 0, 9]),
            (4, [2, 0, 0, 0, 0, 2]),
        ] as [(UInt32, [UInt8])] {
            try sender.writeTo(destination + frame(number).dropFirst(6), id: 0)
        }
        #expect(try receiver.receiveNumbers(1) == [4])
        #expect(try receiver.statistics().packets == 1)
    }
}
