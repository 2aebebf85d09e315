import CLinux
import Glibc
import LinuxKernel
import Testing

@testable import Netlink
@testable import PSample

/// The filter, run by the kernel on a pair of UNIX sockets: it sees the same bytes as on a netlink socket.
@Suite struct SampleFilterTests {
    /// The indices of the messages that pass.
    private func passing(_ messages: [[UInt8]], _ groups: Set<UInt32>) throws -> [Int] {
        var pair: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &pair) == 0)
        let sender = Descriptor(owning: pair[0])
        let receiver = Descriptor(owning: pair[1])
        try receiver.set(
            SampleFilter.program(family: psampleFamily.identifier, groups: groups), "attach the filter")
        return messages.indices.filter { position in
            _ = send(sender.rawValue, messages[position], messages[position].count, 0)
            var buffer = [UInt8](repeating: 0, count: 65536)
            let length = recv(receiver.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return length == messages[position].count
        }
    }

    private func sample(_ group: UInt32, type: UInt16 = 0x20) -> [UInt8] {
        message(
            attributes { writer in
                writer.put(UInt16(PSAMPLE_ATTR_DATA), bytes: [3, 0, 3, 0, 5])
                writer.put(PSAMPLE_ATTR_SAMPLE_GROUP, group)
            }, type: type)
    }

    @Test func `Selected groups pass, and others do not`() throws {
        let messages = [sample(5), sample(6), sample(5 << 24), sample(0xFFFF_FFFF)]
        #expect(try passing(messages, [5]) == [0])
        #expect(try passing(messages, [5, 6, .max]) == [0, 1, 3])
        #expect(try passing(messages, []) == [])
    }

    @Test func `Messages other than samples pass`() throws {
        let messages = [
            sample(6, type: UInt16(GENL_ID_CTRL)), sample(6, type: UInt16(NLMSG_ERROR)), message([]),
            message(attributes { $0.put(PSAMPLE_ATTR_LATENCY, UInt64(1)) }),
        ]
        #expect(try passing(messages, [5]) == [0, 1, 2, 3])
    }

    @Test func `A filter takes the maximum number of groups`() throws {
        let groups = Set((0..<UInt32(SampleFilter.limit)).map { $0 * 7919 })
        let messages = [0, 1, UInt32(SampleFilter.limit - 1) * 7919].map { sample($0) }
        #expect(try passing(messages, groups) == [0, 2])
    }
}
