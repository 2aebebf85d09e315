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

    /// One message as it is sent.
    private struct Sent: Equatable {
        var id: UInt32
        var packet: [UInt8]
        var nameBytes = 0
        /// Level, type and the first 32 bits of each control message.
        var control: [[UInt32]] = []
    }

    private func sent(_ batch: borrowing SendBatch) -> [Sent] {
        (0..<batch.count).map { index in
            let header = batch.storage.headers[index].msg_hdr
            let control = UnsafeRawBufferPointer(start: header.msg_control, count: Int(header.msg_controllen))
            return Sent(
                id: batch.id(at: index), packet: Array(batch.packet(at: index)),
                nameBytes: header.msg_name == nil ? 0 : Int(header.msg_namelen),
                control: ControlMessages(control).map {
                    [UInt32($0.level), UInt32($0.type), $0.load(as: UInt32.self) ?? 0]
                })
        }
    }

    private func append(
        _ id: UInt32, _ bytes: Int, _ options: SendOptions = SendOptions(), to batch: inout SendBatch
    ) {
        batch.append(id: id, options: options) { span in
            span.withUnsafeMutableBytes { memory in
                for index in 0..<bytes { memory[index] = UInt8(id) }
            }
            return bytes
        }
    }

    @Test("A slot that is used again sends nothing of its earlier packet")
    func reused() {
        let link = SendOptions(
            link: LinkAddress(MACAddress(rawValue: 1), interfaceIndex: 1, etherType: 0x88B5), stamps: .sched)
        let id = { (value: UInt32) in [UInt32(SOL_SOCKET), UInt32(CL_SCM_TS_OPT_ID), value] }
        let request = [UInt32(SOL_SOCKET), UInt32(CL_SO_TIMESTAMPING_NEW), UInt32(SOF_TIMESTAMPING_TX_SCHED)]
        var batch = SendBatch(capacity: 2, packetBytes: 8)
        let plain = { (number: UInt32, bytes: Int) in
            Sent(id: number, packet: [UInt8](repeating: UInt8(number), count: bytes), control: [id(number)])
        }
        for round in 0..<3 {
            batch.removeAll()
            append(1, 8, to: &batch)
            append(2, 3, to: &batch)
            batch.includeIdentifiers(from: 0, otherwise: .software)
            #expect(sent(batch) == [plain(1, 8), plain(2, 3)], "round \(round)")
            batch.removeAll()
            append(3, 5, to: &batch)
            append(4, 2, link, to: &batch)
            batch.includeIdentifiers(from: 0, otherwise: .software)
            let linked = Sent(id: 4, packet: [4, 4], nameBytes: 20, control: [request, id(4)])
            #expect(sent(batch) == [plain(3, 5), linked], "round \(round)")
        }
    }

    @Test("Only packets that request timestamps carry their id, and none on a connection that counts")
    func identifiers() {
        var batch = SendBatch(capacity: 3, packetBytes: 8)
        append(1, 1, to: &batch)
        append(2, 1, SendOptions(stamps: []), to: &batch)
        append(3, 1, SendOptions(stamps: .software), to: &batch)
        let counts = { (batch: borrowing SendBatch) in
            (0..<3).map { batch.storage.headers[$0].msg_hdr.msg_controllen }
        }
        batch.includeIdentifiers(from: 0, otherwise: .sched)
        #expect(counts(batch) == [24, 24, 48])
        batch.includeIdentifiers(from: 0, otherwise: [])
        #expect(counts(batch) == [0, 24, 48])
        batch.excludeIdentifiers(from: 1)
        #expect(counts(batch) == [0, 24, 24])
    }
}
