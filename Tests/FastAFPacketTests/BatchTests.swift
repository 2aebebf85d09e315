import FastAFPacket
import Glibc
import LinuxKernel
import Testing

/// The metadata of each packet of a batch.
@Suite(.needsRoot, .vethPair)
struct BatchTests {
    private struct Arrival: Equatable {
        var bytes: Int
        var length: Int
        var isTruncated: Bool
        var tag: UInt16?
        var type: LinkAddress.PacketType?
        var source: String?
    }

    @Test(
        "Each packet of a batch has its length, truncation, VLAN tag, packet type, source and timestamp",
        arguments: [true, false])
    func mixed(dual: Bool) throws {
        let pair = try VethPair.current
        let receiver = try pair.listen(.right, etherType: 3, dual: dual) {
            $0.filter = try? Filter(expression: "ether[14:4] = 9")
        }
        let sender = try pair.listen(.left)
        try warmUp(sender, try pair.listen(.right))
        let plain = frame(9)
        let frames: [[UInt8]] = [
            plain, plain[..<12] + [0x81, 0x00, 0xA0, 0x64] + plain[12...], frame(9, payload: 500),
            [255, 255, 255, 255, 255, 255] + plain[6...], [1, 0, 94, 0, 0, 1, 2, 0, 0, 0, 0, 0x55] + plain[12...],
            [2, 0, 0, 0, 0, 0x99] + plain[6...], plain,
        ]
        for (index, frame) in frames.enumerated() { try sender.writeTo(frame, id: UInt32(index)) }
        // A size that is not a multiple of any alignment.
        var batch = ReceiveBatch(capacity: 16, packetBytes: 101)
        var arrivals: [Arrival] = []
        var times: [Int64] = []
        receiver.setReadDeadline(monotonic: soon())
        // Twice, to show that nothing of an earlier receive is left in the storage.
        for _ in 0..<2 {
            var count = try receiver.receive(&batch)
            while count < frames.count { count = try receiver.receive(&batch) }
            arrivals = []
            times = []
            batch.forEach { bytes, packet in
                arrivals.append(
                    Arrival(
                        bytes: bytes.byteCount, length: packet.length, isTruncated: packet.isTruncated,
                        tag: packet.vlanTag, type: packet.link?.packetType, source: packet.link?.description))
                times.append(packet.stamps.software ?? 0)
            }
            for (index, frame) in frames.reversed().enumerated() { try sender.writeTo(frame, id: UInt32(index)) }
        }
        let left = VethPair.mac(.left)
        let whole = Arrival(bytes: 60, length: 60, isTruncated: false, tag: nil, type: .host, source: left)
        var (tagged, long, broadcast, multicast, other) = (whole, whole, whole, whole, whole)
        tagged.tag = 0xA064
        (long.bytes, long.length, long.isTruncated) = (101, 514, true)
        broadcast.type = .broadcast
        (multicast.type, multicast.source) = (.multicast, "02:00:00:00:00:55")
        other.type = .otherHost
        #expect(arrivals == [whole, tagged, long, broadcast, multicast, other, whole].reversed())
        #expect(!times.contains(0) && times == times.sorted())
    }

    @Test(
        "Timestamps are read in batches of the storage's capacity, in order, until none is left", arguments: [1, 7, 64])
    func stamps(capacity: Int) throws {
        let connection = try VethPair.current.listen(.left)
        try connection.sendFrames(0..<100)
        var batch = StampBatch(capacity: capacity)
        var counts: [Int] = []
        var ids: [UInt32] = []
        while true {
            let count = try connection.receiveTransmitStampsNow(&batch)
            if count == 0 { break }
            counts.append(count)
            batch.forEach { ids.append($0.id) }
        }
        #expect(counts.dropLast().allSatisfy { $0 == capacity } && counts.reduce(0, +) == 200)
        #expect(ids == (0..<100).flatMap { [$0, $0] })
    }
}
