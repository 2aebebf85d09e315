extension SessionSender {
    /// The direction in which an unanswered probe was lost, by the reflector's count.
    mutating func directionOfLoss(_ index: Int) -> LossGap.Direction {
        if slots[index].flags.contains(.reachedPeer) { return .reverse }
        let sequence = slots[index].sequence
        if let gap, gap.covers(sequence), gap.isFinal || gap.replies == repliesReceived { return gap.direction }
        let found = findGap(around: sequence)
        gap = found
        return found.direction
    }

    /// The length of a gap in probes beyond which later replies do not cause another search.
    private static let longGap: UInt32 = 256

    /// Finds the gap of unanswered probes around one, and the direction of its loss.
    ///
    /// The reflector counts its replies. If it sent no unknown reply between the nearest answered probes, all probes in
    /// between were lost forward. If it sent as many unknown replies as probes are missing, all replies were lost in
    /// reverse.
    private func findGap(around sequence: UInt32) -> LossGap {
        let first = nearestAnswered(from: sequence, step: 0 &- 1)
        let last = nearestAnswered(from: sequence, step: 1)
        let isFinal = last.index != nil && last.sequence &- first.sequence > Self.longGap
        var gap = LossGap(
            first: first.sequence, last: last.sequence, direction: .unknown, isFinal: isFinal,
            replies: repliesReceived)
        guard order.isStateful, let after = last.index, slots[after].replyLife == peerLife,
            first.index.map({ slots[$0].replyLife == peerLife }) ?? true,
            let reply = first.index.map({ slots[$0].replySequence }) ?? lastAnsweredReply,
            let unknownReplies = order.unknownReplies(between: reply, and: slots[after].replySequence)
        else { return gap }
        // Without the peer's telemetry, a reply after the gap may answer a reordered probe of the gap.
        let isSettled = peerInstance != nil || !order.hasUnexplainedReplies(after: slots[after].replySequence)
        guard first.index != nil else {
            // Earlier probes are no longer kept and cannot be counted, but zero unknown replies still prove the loss.
            gap.direction = unknownReplies == 0 && isSettled ? .forward : .unknown
            return gap
        }
        var missing = 0
        var between = first.sequence &+ 1
        while between != last.sequence {
            if let index = slots.index(of: between), !slots[index].flags.contains(.reachedPeer) { missing += 1 }
            between &+= 1
        }
        if unknownReplies == 0 {
            gap.direction = isSettled ? .forward : .unknown
        } else if unknownReplies == missing {
            gap.direction = .reverse
        }
        return gap
    }

    /// The nearest answered probe in one direction, or the first one that is not kept.
    private func nearestAnswered(from start: UInt32, step: UInt32) -> (index: Int?, sequence: UInt32) {
        var sequence = start &+ step
        for _ in 0..<slots.capacity {
            guard let index = slots.index(of: sequence) else { break }
            if slots[index].flags.contains(.replied) { return (index, sequence) }
            sequence &+= step
        }
        return (nil, sequence)
    }
}
