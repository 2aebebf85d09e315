import Testing

@testable import PSample

@Suite struct GroupSequenceTests {
    private func receive(_ numbers: [UInt32]) -> (sequence: GroupSequence, missed: [UInt32]) {
        var sequence = GroupSequence()
        let missed = numbers.map { sequence.receive($0) }
        return (sequence, missed)
    }

    @Test func `The first sample loses nothing, whatever its number`() {
        let (sequence, missed) = receive([4711, 4712])
        #expect(missed == [0, 0] && sequence.lost == 0 && sequence.received == 2)
    }

    @Test func `A gap counts each missing sample as lost`() {
        let (sequence, missed) = receive([0, 1, 5, 6, 108])
        #expect(missed == [0, 0, 3, 0, 101])
        #expect(sequence.lost == 104 && sequence.received == 5 && sequence.restarts == 0)
    }

    @Test func `Numbers wrap around to 0 after the highest`() {
        let (sequence, missed) = receive([.max - 1, .max, 0, 2])
        #expect(missed == [0, 0, 0, 1] && sequence.lost == 1 && sequence.restarts == 0)
    }

    @Test func `A late sample no longer counts as lost`() {
        let (sequence, missed) = receive([0, 3, 1, 4, 2])
        #expect(missed == [0, 2, 0, 0, 0])
        #expect(sequence.lost == 0 && sequence.reordered == 2 && sequence.repeated == 0)
    }

    @Test(arguments: [UInt32(1), 31, 62, 63]) func `A late sample anywhere in the window is recognised`(
        distance: UInt32
    ) {
        let (sequence, _) = receive([100, 100 + distance + 1, 101])
        #expect(sequence.lost == UInt64(distance) - 1 && sequence.reordered == 1 && sequence.restarts == 0)
    }

    @Test func `A sample that the first one overtook was never lost`() {
        let (sequence, _) = receive([10, 9, 11])
        #expect(sequence.lost == 0 && sequence.reordered == 1 && sequence.repeated == 0)
    }

    @Test func `A number that arrives twice counts as repeated`() {
        let (sequence, _) = receive([0, 1, 1, 3, 2, 2, 1])
        #expect(sequence.lost == 0 && sequence.repeated == 3 && sequence.reordered == 1)
    }

    @Test func `A group recreated without a notification restarts its numbering`() {
        let (sequence, missed) = receive([5000, 5001, 3, 4, 6])
        #expect(missed == [0, 0, 0, 0, 1])
        #expect(sequence.restarts == 1 && sequence.lost == 1)
    }

    @Test func `One very late sample is not a recreated group and no longer counts as lost`() {
        let (sequence, missed) = receive([0, 200, 100, 201, 202])
        #expect(missed == [0, 199, 0, 0, 0])
        #expect(sequence.restarts == 0 && sequence.reordered == 1 && sequence.lost == 198)
    }

    @Test func `After the notification of a new group its numbers count from 0`() {
        var sequence = receive([7, 8]).sequence
        sequence.restart()
        #expect(sequence.receive(2) == 2)
        #expect(sequence.receive(0) == 0 && sequence.receive(1) == 0)
        #expect(sequence.lost == 0 && sequence.restarts == 1 && sequence.reordered == 2 && sequence.received == 5)
        var new = GroupSequence()
        new.restart()
        #expect(new.receive(0) == 0 && new.restarts == 0 && new.lost == 0)
    }

    @Test func `Random numbers never make a counter go below zero`() {
        let seed: UInt64 = 0x2545_F491_4F6C_DD1D
        var generator = Xorshift(state: seed)
        for round in 0..<200 {
            var sequence = GroupSequence()
            var number = UInt32.random(in: 0 ... .max, using: &generator)
            for _ in 0..<500 {
                let step = UInt32.random(in: 0...3, using: &generator)
                let back = Bool.random(using: &generator) ? UInt32.random(in: 0...80, using: &generator) : 0
                number = number &+ step &- back
                let isOutlier = Int.random(in: 0..<100, using: &generator) == 0
                sequence.receive(isOutlier ? .random(in: 0 ... .max, using: &generator) : number)
            }
            #expect(sequence.received == 500, "round \(round) of seed \(seed)")
            // A counter that went below zero would be near 2^64.
            #expect(sequence.lost < 1 << 42, "round \(round) of seed \(seed)")
            #expect(
                sequence.reordered + sequence.repeated + sequence.restarts <= sequence.received,
                "round \(round) of seed \(seed)")
        }
    }
}
