import CLinux
import Glibc
import Netlink
import Testing

@testable import Conntrack

/// Tests of requests to a simulated kernel.
@Suite struct ConntrackTableTests {
    private final class Kernel {
        var requests: [[UInt8]] = []
        var answer: [UInt8] = []

        var table: ConntrackTable {
            ConntrackTable(
                connection: NetlinkConnection(portID: 4242) { [self] request in
                    requests.append(request)
                    return [renumbered(answer, like: request)]
                })
        }
    }

    /// Sets the request's sequence and the connection's port in each message.
    private static func renumbered(_ datagram: [UInt8], like request: [UInt8]) -> [UInt8] {
        var copy = datagram
        var start = 0
        while start + 16 <= copy.count {
            copy.replaceSubrange(start + 8..<start + 12, with: request[8..<12])
            copy.replaceSubrange(start + 12..<start + 16, with: withUnsafeBytes(of: UInt32(4242), Array.init))
            start += copy.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: start, as: UInt32.self)) }
        }
        return copy
    }

    private static func acknowledgement(_ code: Int32) -> [UInt8] {
        let header = nlmsghdr(
            nlmsg_len: 36, nlmsg_type: UInt16(NLMSG_ERROR), nlmsg_flags: UInt16(NLM_F_CAPPED), nlmsg_seq: 0,
            nlmsg_pid: 0)
        return withUnsafeBytes(of: header, Array.init) + withUnsafeBytes(of: -code, Array.init)
            + [UInt8](repeating: 0, count: 16)
    }

    private static func flags(_ request: [UInt8]) -> (type: UInt16, flags: UInt16, family: UInt8) {
        request.withUnsafeBytes {
            (
                $0.loadUnaligned(fromByteOffset: 4, as: UInt16.self),
                $0.loadUnaligned(fromByteOffset: 6, as: UInt16.self), $0[16]
            )
        }
    }

    @Test(arguments: [(nil, 0), (.ipv4, 2), (.ipv6, 10)] as [(ConntrackTable.Family?, UInt8)])
    func `A dump lists every flow of the requested families`(family: ConntrackTable.Family?, number: UInt8) throws {
        let kernel = Kernel()
        kernel.answer = Captured.flows.flatMap { $0 } + Captured.done
        var seen: [Flow] = []
        try kernel.table.dump(family) { seen.append(copy $0) }
        #expect(try seen == flows(Captured.flows.flatMap { $0 }))
        let header = Self.flags(kernel.requests[0])
        #expect(header.type == ConntrackMessage.get && header.flags == UInt16(NLM_F_REQUEST | NLM_F_DUMP))
        #expect(header.family == number)
    }

    @Test func `A discarded dump counts its flows`() throws {
        let kernel = Kernel()
        kernel.answer = Captured.flows.flatMap { $0 } + Captured.done
        #expect(try kernel.table.discardDump() == Captured.flows.count)
    }

    @Test func `A dump that the kernel marks as interrupted is retried`() throws {
        let kernel = Kernel()
        let whole = Captured.udpMark + Captured.done
        kernel.answer = flagged(Captured.udpZone, NLM_F_MULTI | NLM_F_DUMP_INTR) + Captured.done
        var seen: [Flow] = []
        try kernel.table.dump(startOver: {
            kernel.answer = whole
            seen.removeAll()
        }) {
            seen.append(copy $0)
        }
        #expect(try seen == [flow(Captured.udpMark)] && kernel.requests.count == 2)
    }

    @Test func `A malformed message in a dump is an error`() {
        let kernel = Kernel()
        var broken = Captured.udpMark
        broken[22] = 99  // the original tuple's type
        kernel.answer = broken + Captured.done
        #expect(throws: NetlinkError.self) { try kernel.table.dump { _ in } }
    }

    @Test func `A flow is looked up by its tuple and zone`() throws {
        let kernel = Kernel()
        kernel.answer = Captured.udpZone + Self.acknowledgement(0)
        let udp = tuple(.udp, "192.0.2.1:4004", "192.0.2.2:6001")
        let found = try kernel.table.flow(udp, zone: 5)
        #expect(found == (try flow(Captured.udpZone)))
        #expect(Self.flags(kernel.requests[0]).type == ConntrackMessage.get)
        #expect(Self.flags(kernel.requests[0]).flags == UInt16(NLM_F_REQUEST | NLM_F_ACK))
        #expect(Self.flags(kernel.requests[0]).family == 2)
        // CTA_ZONE, in network byte order, is the last attribute.
        #expect(kernel.requests[0].suffix(8) == [6, 0, 0x12, 0, 0, 5, 0, 0])
        // The tuple equals the kernel's encoding.
        #expect(Array(kernel.requests[0][20..<72]) == Array(Captured.udpZone[20..<72]))
    }

    @Test func `A missing flow is nil and is not deleted`() throws {
        let kernel = Kernel()
        kernel.answer = Self.acknowledgement(ENOENT)
        let udp = tuple(.udp, "192.0.2.1:4004", "192.0.2.2:6001")
        #expect(try kernel.table.flow(udp) == nil)
        #expect(try !kernel.table.contains(udp))
        #expect(try !kernel.table.delete(udp))
    }

    @Test func `A rejected request names the capability`() {
        let kernel = Kernel()
        kernel.answer = Self.acknowledgement(EPERM)
        let table = kernel.table
        for body in [
            { try table.dump { _ in } }, { _ = try table.size() },
            { _ = try table.flow(tuple(.udp, "192.0.2.1:1", "192.0.2.2:2")) },
            { _ = try table.delete(tuple(.udp, "192.0.2.1:1", "192.0.2.2:2")) },
        ] as [() throws -> Void] {
            do {
                try body()
                Issue.record("nothing thrown")
            } catch {
                #expect("\(error)".contains("CAP_NET_ADMIN"), "\(error)")
            }
        }
    }

    /// Without a tuple the kernel would delete every flow.
    @Test(arguments: Captured.flows) func `A request to delete always has a tuple`(message: [UInt8]) throws {
        let kernel = Kernel()
        kernel.answer = Self.acknowledgement(0)
        let target = try flow(message)
        #expect(try kernel.table.delete(target.original, id: target.id))
        #expect(try kernel.table.delete(target.reply, direction: .reply))
        for (request, type) in zip(kernel.requests, [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY]) {
            #expect(Self.flags(request).type == ConntrackMessage.delete)
            #expect(UInt32(request[22]) == type.rawValue && request[23] == 0x80)
        }
        let id = try #require(target.id)
        #expect(kernel.requests[0].suffix(8) == [8, 0, 12, 0] + withUnsafeBytes(of: id.bigEndian, Array.init))
    }

    @Test func `The number of flows and the limit are read`() throws {
        let kernel = Kernel()
        var answer = MessageWriter(type: ConntrackMessage.statistics, fixed: nfgenmsg())
        answer.attributes.put(UInt16(CTA_STATS_GLOBAL_ENTRIES.rawValue), UInt32(7), order: .network)
        kernel.answer = try answer.finished() + Self.acknowledgement(0)
        #expect(try kernel.table.size() == ConntrackTable.Size(flows: 7, limit: nil))
        answer.attributes.put(UInt16(CTA_STATS_GLOBAL_MAX_ENTRIES.rawValue), UInt32(262144), order: .network)
        kernel.answer = try answer.finished() + Self.acknowledgement(0)
        #expect(try kernel.table.size() == ConntrackTable.Size(flows: 7, limit: 262144))
        kernel.answer = Self.acknowledgement(0)
        #expect(throws: NetlinkError.self) { try kernel.table.size() }
    }
}
