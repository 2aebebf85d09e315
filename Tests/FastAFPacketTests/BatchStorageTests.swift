import CLinux
import Glibc
import LinuxKernel
import NetworkAddresses
import Testing

@testable import FastAFPacket

/// The message headers of a batch: only what changed is written again.
struct BatchStorageTests {
    /// Writes lengths to the first headers, as a receive of that many messages does.
    private func receive(_ count: Int, into storage: borrowing MessageStorage) {
        for index in 0..<count {
            storage.headers[index].msg_hdr.msg_namelen = 18
            storage.headers[index].msg_hdr.msg_controllen = 120
        }
    }

    private func lengths(_ storage: borrowing MessageStorage) -> [[Int]] {
        (0..<storage.capacity).map {
            [Int(storage.headers[$0].msg_hdr.msg_namelen), Int(storage.headers[$0].msg_hdr.msg_controllen)]
        }
    }

    private let whole = [MessageStorage.nameBytes, MessageStorage.controlBytes]

    @Test("Every receive has the whole room for addresses and control data", arguments: [0, 1, 3, 4])
    func restored(count: Int) {
        var packets = ReceiveBatch(capacity: 4, packetBytes: 64)
        var stamps = StampBatch(capacity: 4)
        for _ in 0..<2 {
            let room = [lengths(packets.storage), lengths(stamps.storage)]
            #expect(room == [[[Int]]](repeating: [[Int]](repeating: whole, count: 4), count: 2))
            receive(count, into: packets.storage)
            receive(count, into: stamps.storage)
            (packets.count, stamps.messages) = (count, count)
            packets.removeAll()
            stamps.removeAll()
            let left = [packets.count, stamps.count]
            #expect(left == [0, 0])
        }
    }
}
