import CLinux
import Testing

@testable import Netlink

/// Tests with simulated RTM_NEWQDISC messages.
struct QueueingDisciplineTests {
    /// struct tcmsg and TCA_KIND.
    private func discipline(
        _ kind: String?, interface: Int32 = 2, handle: UInt32 = 0, parent: UInt32 = QueueingDiscipline.root
    ) -> [UInt8] {
        var bytes = native(UInt32(0)) + native(interface) + native(handle) + native(parent) + native(UInt32(2))
        if let kind {
            bytes += native(UInt16(4 + kind.utf8.count + 1)) + native(UInt16(1)) + kind.utf8 + [0]
            while bytes.count % 4 != 0 { bytes.append(0) }
        }
        return bytes
    }

    private func read(_ payloads: [[UInt8]]) throws -> [QueueingDiscipline] {
        let connection = NetlinkConnection(portID: ScriptedKernel.portID) { request in
            let sequence = request.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self) }
            let parts = payloads.flatMap { message(type: 36, flags: 2, sequence: sequence, payload: $0) }
            return [parts + message(type: 3, flags: 2, sequence: sequence, payload: [0, 0, 0, 0])]
        }
        return try connection.queueingDisciplines(on: 2)
    }

    @Test func `The qdiscs of one interface are read with kind, handle and parent`() throws {
        let found = try read([
            discipline("noqueue", interface: 1), discipline("mq", handle: 0x8001_0000),
            discipline("fq", handle: 0x8002_0000, parent: 0x8001_0001),
        ])
        #expect(
            found == [
                QueueingDiscipline(kind: "mq", handle: 0x8001_0000, parent: QueueingDiscipline.root),
                QueueingDiscipline(kind: "fq", handle: 0x8002_0000, parent: 0x8001_0001),
            ])
    }

    @Test func `An interface without qdiscs has an empty list`() throws { #expect(try read([]).isEmpty) }

    @Test func `A qdisc that lacks its kind or is truncated is an error`() {
        #expect(throws: NetlinkError.self) { try read([discipline(nil)]) }
        #expect(throws: NetlinkError.self) { try read([Array(discipline("fq").prefix(12))]) }
        var cut = discipline("fq_codel")
        cut[20] = 200
        #expect(throws: NetlinkError.self) { try read([cut]) }
    }
}
