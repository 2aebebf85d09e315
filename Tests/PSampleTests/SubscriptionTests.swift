import CLinux
import Glibc
import LinuxKernel
import Testing

@testable import Netlink
@testable import PSample

/// A sample of a group with a number, and some bytes.
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
    /// What a subscription made of datagrams.
    private struct Heard {
        var samples: [SampledPacket] = []
        var missed: [UInt32] = []
        var events: [SampleEvent] = []
        var calls = 0
        var sequences: [UInt32: GroupSequence] = [:]
    }

    private func hear(
        _ datagrams: [[UInt8]], groups: Set<UInt32>? = nil, family: GenericFamily = psampleFamily
    ) throws -> Heard {
        let connection = NetlinkConnection(portID: 9, hearing: datagrams) { _ in [] }
        let subscription = SampleSubscription(connection, family, groups: groups)
        var heard = Heard()
        while try subscription.receive(
            until: 0,
            { received, missed in
                heard.samples.append(received.copied())
                heard.missed.append(missed)
            }, event: { heard.events.append($0) })
        {
            heard.calls += 1
        }
        heard.sequences = subscription.sequences
        return heard
    }

    @Test func `samples come as they were sent, several with one call`() throws {
        let heard = try hear([sample(5, 0), sample(5, 1, data: [9]), sample(5, 4) + sample(5, 5)])
        #expect(heard.calls == 1 && heard.samples.map(\.sample.sequence) == [0, 1, 4, 5])
        #expect(heard.samples[1].data == [9] && heard.missed == [0, 0, 2, 0] && heard.events.isEmpty)
        #expect(heard.sequences[5]?.lost == 2)
    }

    @Test func `what a real kernel sent is heard`() throws {
        let family = GenericFamily(name: "psample", identifier: 0x23, version: 1, groups: [:])
        let heard = try hear(
            [Captured.groupAdded, Captured.probe, Captured.netdevsim, Captured.groupRemoved], family: family)
        #expect(heard.samples.map(\.sample.group) == [5, 9] && heard.missed == [0, 0])
        #expect(
            heard.events == [
                .groupAdded(SampleGroup(number: 5, references: 0, sequence: 0)),
                .groupRemoved(SampleGroup(number: 5, references: 0, sequence: 22)),
            ])
    }

    @Test func `a flood is taken in parts`() throws {
        let heard = try hear((0..<200).map { sample(5, $0) })
        #expect(heard.calls > 2 && heard.samples.count == 200)
    }

    @Test func `other groups, and samples of none, are not wanted`() throws {
        let datagrams = [sample(5, 0), sample(6, 0), message([]), group(PSAMPLE_CMD_NEW_GROUP, 6), sample(7, 0)]
        let heard = try hear(datagrams, groups: [5, 7])
        #expect(heard.samples.map(\.sample.group) == [5, 7] && heard.events.isEmpty)
        let all = try hear(datagrams)
        #expect(all.samples.map(\.sample.group) == [5, 6, nil, 7] && all.events.count == 1)
    }

    @Test func `each group has its own numbers`() throws {
        let heard = try hear([sample(5, 10), sample(6, 90), sample(5, 11), sample(6, 92)])
        #expect(heard.sequences[5]?.lost == 0 && heard.sequences[6]?.lost == 1)
    }

    @Test func `groups come and go`() throws {
        let heard = try hear([
            sample(5, 900), group(PSAMPLE_CMD_DEL_GROUP, 5, references: 0, sequence: 901),
            group(PSAMPLE_CMD_NEW_GROUP, 5, references: 0), sample(5, 1),
        ])
        #expect(
            heard.events == [
                .groupRemoved(SampleGroup(number: 5, references: 0, sequence: 901)),
                .groupAdded(SampleGroup(number: 5, references: 0, sequence: 0)),
            ])
        #expect(heard.missed == [0, 1] && heard.sequences[5]?.restarts == 1)
    }

    @Test func `a message that can't be read is reported, and the next one is read`() throws {
        let broken = message(attributes { $0.put(UInt16(PSAMPLE_ATTR_LATENCY), bytes: [1]) })
        let cut = Array(group(PSAMPLE_CMD_NEW_GROUP, 5).dropLast(4))
        let heard = try hear([broken, [1, 2, 3], cut, sample(5, 3)])
        #expect(heard.events.first == .malformed(.attributeSize(type: UInt16(PSAMPLE_ATTR_LATENCY), bytes: 1)))
        #expect(heard.events.count == 3 && heard.events[1] == .malformed(.cutMessageHeader(bytes: 3)))
        #expect(heard.samples.count == 1)
    }

    @Test func `messages of other families, and other commands, are passed over`() throws {
        let heard = try hear([message(EveryAttribute.ipv4, type: 0x21), message(psample_command(77), [])])
        #expect(heard.samples.isEmpty && heard.events.isEmpty)
    }

    @Test func `a family that the kernel lacks is an error that says what to do`() throws {
        let connection = NetlinkConnection(portID: 9) { request in
            let header = Array(request.prefix(16))
            var answer = [36, 0, 0, 0, UInt8(NLMSG_ERROR), 0, 0, 0] + header[8..<16]
            answer += withUnsafeBytes(of: -ENOENT, Array.init) + header
            return [answer]
        }
        let error = #expect(throws: NetlinkError.self) { try SampleSubscription.groups(connection) }
        #expect(error?.code == ENOENT && error?.description.contains("modprobe psample") == true)
    }

    /// Against the machine's own kernel: with psample it has groups or none, without it the error tells.
    @Test func `the kernel's own groups can be listed`() throws {
        do throws(NetlinkError) {
            _ = try SampleSubscription.groups()
        } catch {
            #expect(error.code == ENOENT, "\(error)")
            print("this kernel has no psample: \(error)")
        }
    }

    @Test func `groups are listed`() throws {
        var requests: [[UInt8]] = []
        let connection = NetlinkConnection(portID: 9) { request in
            requests.append(request)
            var answer: [UInt8]
            if requests.count == 1 {
                answer = played(CTRL_CMD_NEWFAMILY)
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

    /// CTRL_CMD_NEWFAMILY of psample.
    private func played(_ command: some BinaryInteger) -> [UInt8] {
        let family = attributes { writer in
            writer.put(UInt16(CTRL_ATTR_FAMILY_NAME), "psample")
            writer.put(UInt16(CTRL_ATTR_FAMILY_ID), psampleFamily.identifier)
        }
        var bytes = message(family, type: UInt16(GENL_ID_CTRL))
        bytes[16] = UInt8(truncatingIfNeeded: command)
        return bytes
    }

    /// The messages with the request's number and port.
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
