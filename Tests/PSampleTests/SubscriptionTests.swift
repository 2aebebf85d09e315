import CLinux
import Glibc
import LinuxKernel
import Testing

@testable import Netlink
@testable import PSample

/// A sample with a group, a sequence number and data.
private func sample(_ group: UInt32, _ sequence: UInt32, data: [UInt8] = [1, 2, 3]) -> [UInt8] {
    message(
        attributes { writer in
            writer.put(PSAMPLE_ATTR_SAMPLE_GROUP, group)
            writer.put(PSAMPLE_ATTR_GROUP_SEQ, sequence)
            writer.put(UInt16(PSAMPLE_ATTR_DATA), bytes: data)
        })
}

private func group(
    _ command: psample_command, _ number: UInt32, references: UInt32 = 1, sequence: UInt32 = 0
) -> [UInt8] {
    message(
        command,
        attributes { writer in
            writer.put(PSAMPLE_ATTR_SAMPLE_GROUP, number)
            writer.put(PSAMPLE_ATTR_GROUP_REFCOUNT, references)
            writer.put(PSAMPLE_ATTR_GROUP_SEQ, sequence)
        })
}

@Suite struct SubscriptionTests {
    /// The samples and events that a subscription delivered.
    private struct Delivered {
        var samples: [SampledPacket] = []
        var missed: [UInt32] = []
        var events: [SampleEvent] = []
        var calls = 0
        var sequences: [UInt32: GroupSequence] = [:]
    }

    private func receive(
        _ datagrams: [[UInt8]], groups: Set<UInt32>? = nil, family: GenericFamily = psampleFamily
    ) throws -> Delivered {
        let connection = NetlinkConnection(portID: 9, notifications: datagrams) { _ in [] }
        let subscription = SampleSubscription(connection, family, groups: groups)
        var delivered = Delivered()
        while try subscription.receive(
            until: 0,
            { received, missed in
                delivered.samples.append(received.copied())
                delivered.missed.append(missed)
            }, event: { delivered.events.append($0) })
        {
            delivered.calls += 1
        }
        delivered.sequences = subscription.sequences
        return delivered
    }

    @Test func `One call delivers several samples in their order`() throws {
        let delivered = try receive([sample(5, 0), sample(5, 1, data: [9]), sample(5, 4) + sample(5, 5)])
        #expect(delivered.calls == 1 && delivered.samples.map(\.sample.sequence) == [0, 1, 4, 5])
        #expect(delivered.samples[1].data == [9] && delivered.missed == [0, 0, 2, 0] && delivered.events.isEmpty)
        #expect(delivered.sequences[5]?.lost == 2)
    }

    @Test func `A real kernel's samples and group notifications are delivered`() throws {
        let family = GenericFamily(name: "psample", identifier: 0x23, version: 1, groups: [:])
        let delivered = try receive(
            [Captured.groupAdded, Captured.probe, Captured.netdevsim, Captured.groupRemoved], family: family)
        #expect(delivered.samples.map(\.sample.group) == [5, 9] && delivered.missed == [0, 0])
        #expect(
            delivered.events == [
                .groupAdded(SampleGroup(number: 5, references: 0, sequence: 0)),
                .groupRemoved(SampleGroup(number: 5, references: 0, sequence: 22)),
            ])
    }

    @Test func `A flood is delivered in batches`() throws {
        let delivered = try receive((0..<200).map { sample(5, $0) })
        #expect(delivered.calls > 2 && delivered.samples.count == 200)
    }

    @Test func `Samples of other groups, or of none, are not delivered`() throws {
        let datagrams = [sample(5, 0), sample(6, 0), message([]), group(PSAMPLE_CMD_NEW_GROUP, 6), sample(7, 0)]
        let delivered = try receive(datagrams, groups: [5, 7])
        #expect(delivered.samples.map(\.sample.group) == [5, 7] && delivered.events.isEmpty)
        let all = try receive(datagrams)
        #expect(all.samples.map(\.sample.group) == [5, 6, nil, 7] && all.events.count == 1)
    }

    @Test func `Each group is numbered separately`() throws {
        let delivered = try receive([sample(5, 10), sample(6, 90), sample(5, 11), sample(6, 92)])
        #expect(delivered.sequences[5]?.lost == 0 && delivered.sequences[6]?.lost == 1)
    }

    @Test func `A recreated group restarts its numbering`() throws {
        let delivered = try receive([
            sample(5, 900), group(PSAMPLE_CMD_DEL_GROUP, 5, references: 0, sequence: 901),
            group(PSAMPLE_CMD_NEW_GROUP, 5, references: 0), sample(5, 1),
        ])
        #expect(
            delivered.events == [
                .groupRemoved(SampleGroup(number: 5, references: 0, sequence: 901)),
                .groupAdded(SampleGroup(number: 5, references: 0, sequence: 0)),
            ])
        #expect(delivered.missed == [0, 1] && delivered.sequences[5]?.restarts == 1)
    }

    @Test func `A malformed message is reported, and the next one is decoded`() throws {
        let broken = message(attributes { $0.put(UInt16(PSAMPLE_ATTR_LATENCY), bytes: [1]) })
        let cut = Array(group(PSAMPLE_CMD_NEW_GROUP, 5).dropLast(4))
        let delivered = try receive([broken, [1, 2, 3], cut, sample(5, 3)])
        #expect(delivered.events.first == .malformed(.attributeSize(type: UInt16(PSAMPLE_ATTR_LATENCY), bytes: 1)))
        #expect(delivered.events.count == 3 && delivered.events[1] == .malformed(.cutMessageHeader(bytes: 3)))
        #expect(delivered.samples.count == 1)
    }

    @Test func `Messages of other families and unknown commands are skipped`() throws {
        let delivered = try receive([message(EveryAttribute.ipv4, type: 0x21), message(psample_command(77), [])])
        #expect(delivered.samples.isEmpty && delivered.events.isEmpty)
    }

    @Test func `A kernel without psample is an error with a remedy`() throws {
        let connection = NetlinkConnection(portID: 9) { request in
            let header = Array(request.prefix(16))
            var answer = [36, 0, 0, 0, UInt8(NLMSG_ERROR), 0, 0, 0] + header[8..<16]
            answer += withUnsafeBytes(of: -ENOENT, Array.init) + header
            return [answer]
        }
        let error = #expect(throws: NetlinkError.self) { try SampleSubscription.groups(connection) }
        #expect(error?.code == ENOENT && error?.description.contains("modprobe psample") == true)
    }

    /// Runs against this host's kernel, with or without psample.
    @Test func `This kernel's groups are listed, or ENOENT says that it has no psample`() throws {
        do throws(NetlinkError) {
            let groups = try SampleSubscription.groups()
            #expect(groups.allSatisfy { $0.number != nil && $0.references != nil && $0.sequence != nil }, "\(groups)")
        } catch {
            #expect(error.code == ENOENT, "\(error)")
            #expect(error.description.contains("modprobe psample"))
        }
    }

    @Test func `Groups are listed`() throws {
        var requests: [[UInt8]] = []
        let connection = NetlinkConnection(portID: 9) { request in
            requests.append(request)
            var answer: [UInt8]
            if requests.count == 1 {
                answer = family(CTRL_CMD_NEWFAMILY)
            } else {
                answer =
                    group(PSAMPLE_CMD_NEW_GROUP, 5, references: 2, sequence: 70)
                    + group(PSAMPLE_CMD_NEW_GROUP, 1, references: 1, sequence: .max)
            }
            var done = message([], type: UInt16(NLMSG_DONE))
            done[17] = 0  // an errno of 0 where other messages have a version
            answer += done
            return [addressed(answer, like: request)]
        }
        let groups = try SampleSubscription.groups(connection)
        #expect(
            groups == [
                SampleGroup(number: 5, references: 2, sequence: 70),
                SampleGroup(number: 1, references: 1, sequence: .max),
            ])
        #expect(requests.last?[16] == UInt8(PSAMPLE_CMD_GET_GROUP.rawValue))
    }

    /// psample's CTRL_CMD_NEWFAMILY.
    private func family(_ command: some BinaryInteger) -> [UInt8] {
        let attributes = attributes { writer in
            writer.put(UInt16(CTRL_ATTR_FAMILY_NAME), "psample")
            writer.put(UInt16(CTRL_ATTR_FAMILY_ID), psampleFamily.identifier)
        }
        var bytes = message(attributes, type: UInt16(GENL_ID_CTRL))
        bytes[16] = UInt8(truncatingIfNeeded: command)
        return bytes
    }

    /// The messages with the request's sequence number and port.
    private func addressed(_ messages: [UInt8], like request: [UInt8]) -> [UInt8] {
        var bytes = messages
        var start = 0
        while start < bytes.count {
            bytes.replaceSubrange(start + 8..<start + 16, with: request[8..<16])
            start += Int(bytes[start]) | Int(bytes[start + 1]) << 8
        }
        return bytes
    }
}
