import Testing

@testable import STAMPSession

@Suite struct ReplyOrderTests {
    private var order = ReplyOrder(capacity: 64)

    @discardableResult
    private mutating func record(_ reply: UInt32, _ probe: UInt32) -> ReplyOrder.Finding {
        order.record(replySequence: reply, probe: probe)
    }

    @Test mutating func `Replies in order are neither duplicates nor reordered`() {
        for sequence in UInt32(0)..<200 {
            let finding = record(sequence, sequence)
            #expect(!finding.isKnown && !finding.replyReordered && !finding.probeReordered)
        }
        #expect(!order.isStateful, "a stateless reflector copies the probe's sequence number")
    }

    @Test mutating func `A reply sequence number that differs from the probe's proves a stateful reflector`() {
        record(0, 0)
        #expect(!order.isStateful)
        record(1, 2)
        #expect(order.isStateful)
    }

    @Test mutating func `A reply received after a later one is reordered in reverse, and its probe is not reordered`() {
        record(0, 0)
        record(2, 2)
        let finding = record(1, 1)
        #expect(finding.replyReordered)
        #expect(!finding.probeReordered)
        #expect(!finding.isKnown)
    }

    @Test
    mutating func
        `A probe that the reflector received after a later one is reordered forward, and its reply is not reordered`()
    {
        record(0, 0)
        record(1, 2)
        let finding = record(2, 1)
        #expect(finding.probeReordered)
        #expect(!finding.replyReordered)
        let next = record(3, 3)
        #expect(!next.probeReordered && !next.replyReordered)
    }

    @Test mutating func `A late probe is compared with the newest probe before it, not with the previous one`() {
        record(0, 5)
        record(1, 3)
        #expect(record(2, 4).probeReordered)
        #expect(!record(3, 6).probeReordered)
    }

    @Test mutating func `A repeated reply is known, and changes nothing`() {
        record(0, 0)
        record(1, 1)
        let copy = record(1, 1)
        #expect(copy.isKnown)
        #expect(!copy.replyReordered && !copy.probeReordered)
        #expect(!record(2, 2).isKnown)
    }

    @Test mutating func `A duplicated probe has two replies with different sequence numbers, so neither is known`() {
        record(0, 0)
        #expect(!record(1, 0).isKnown)
        #expect(order.probe(ofReply: 0) == 0)
        #expect(order.probe(ofReply: 1) == 0)
    }

    @Test mutating func `Replies between two known ones are unknown until they are received or reported as sent`() {
        record(10, 10)
        record(14, 14)
        #expect(order.unknownReplies(between: 10, and: 14) == 3)
        order.recordSent(replySequence: 12, probe: 12)
        #expect(order.unknownReplies(between: 10, and: 14) == 2)
        record(11, 11)
        record(13, 13)
        #expect(order.unknownReplies(between: 10, and: 14) == 0)
        #expect(order.unknownReplies(between: 10, and: 11) == 0)
    }

    @Test
    mutating func
        `The number of unknown replies is nil for an interval that is empty, backward or older than the window`()
    {
        record(10, 10)
        #expect(order.unknownReplies(between: 10, and: 10) == nil)
        #expect(order.unknownReplies(between: 10, and: 9) == nil)
        #expect(order.unknownReplies(between: 10, and: 10 + 64) == nil)
        #expect(order.unknownReplies(between: 10, and: 10 + 63) == 62)
    }

    @Test mutating func `A reply that is reported as sent before it is received is not the newest`() {
        record(4, 4)
        order.recordSent(replySequence: 6, probe: 6)
        #expect(order.probe(ofReply: 6) == nil)
        #expect(!record(5, 5).replyReordered)
        #expect(!record(6, 6).isKnown)
    }

    @Test mutating func `A lost reply that is reported as sent reveals the probes' order as a received one does`() {
        record(0, 0)
        record(5, 5)
        order.recordSent(replySequence: 3, probe: 4)
        #expect(order.probe(ofReply: 3) == 4)
        #expect(record(4, 3).probeReordered)
    }

    @Test
    mutating func `A reply that a later one reported as sent is reordered, and known only after it is received`() {
        record(0, 0)
        record(2, 2)
        order.recordSent(replySequence: 1, probe: 1)
        let finding = record(1, 1)
        #expect(!finding.isKnown)
        #expect(finding.replyReordered)
        #expect(!finding.probeReordered)
        #expect(record(1, 1).isKnown)
    }

    @Test mutating func `Sequence numbers wrap at 2^32 without reordering`() {
        for step in UInt32(0)..<20 {
            let sequence = UInt32.max - 9 &+ step
            let finding = record(sequence, sequence)
            #expect(!finding.isKnown && !finding.replyReordered && !finding.probeReordered, "\(sequence)")
        }
        #expect(order.unknownReplies(between: .max - 3, and: 3) == 0)
        #expect(order.probe(ofReply: .max) == .max)
        #expect(order.probe(ofReply: 0) == 0)
    }

    @Test mutating func `Unknown replies are counted across the wrap`() {
        record(.max - 1, .max - 1)
        record(2, 2)
        #expect(order.unknownReplies(between: .max - 1, and: 2) == 3)
        #expect(record(.max, .max).replyReordered)
        #expect(order.unknownReplies(between: .max - 1, and: 2) == 2)
    }

    @Test mutating func `A reflector that restarts counts from zero without reordering`() {
        for sequence in UInt32(100)..<120 { record(sequence, sequence) }
        order.restart()
        let finding = record(0, 120)
        #expect(!finding.isKnown && !finding.replyReordered && !finding.probeReordered)
        #expect(order.probe(ofReply: 110) == nil)
        #expect(!record(1, 121).probeReordered)
    }

    @Test mutating func `An entry that a later reply overwrote is dropped`() {
        record(1, 1)
        record(65, 65)
        #expect(order.probe(ofReply: 1) == nil)
        #expect(order.probe(ofReply: 65) == 65)
    }

    @Test func `A reply to a new probe with a much older sequence number reveals that the reflector restarted`() {
        var order = ReplyOrder(capacity: 1024)
        for number in UInt32(0)..<200 { _ = order.record(replySequence: number, probe: number) }
        let finding = order.record(replySequence: 0, probe: 300)
        #expect(finding.hasRestarted && !finding.isKnown && !finding.replyReordered && !finding.probeReordered)
        let next = order.record(replySequence: 1, probe: 301)
        #expect(!next.hasRestarted && !next.isKnown && !next.replyReordered)
    }

    @Test func `A late reply to an old probe is no sign of a restart`() {
        var order = ReplyOrder(capacity: 1024)
        for number in UInt32(0)..<200 where number != 100 { _ = order.record(replySequence: number, probe: number) }
        let finding = order.record(replySequence: 100, probe: 100)
        #expect(!finding.hasRestarted && finding.replyReordered)
    }

    @Test func `A lost reply to a reordered probe is distinguished from a reply to a probe that is missing`() {
        var order = ReplyOrder(capacity: 1024)
        // Probe 2 reached the reflector after probe 3, and the reply to it, number 2, was lost.
        for (reply, probe) in [UInt32(0): UInt32(1), 1: 3, 3: 4, 4: 5].sorted(by: { $0.key < $1.key }) {
            _ = order.record(replySequence: reply, probe: probe)
        }
        #expect(order.hasUnexplainedReplies(after: 1))
        // Probe 6 is without a reply, so reply 5 may be the one to it.
        _ = order.record(replySequence: 6, probe: 7)
        #expect(!order.hasUnexplainedReplies(after: 3))
        order.recordSent(replySequence: 2, probe: 2)
        #expect(!order.hasUnexplainedReplies(after: 1))
    }
}
