import Testing

@testable import PSample

@Suite struct GroupSequenceTests {
    private func receive(_ numbers: [UInt32]) -> (sequence: GroupSequence, missed: [UInt32]) {
        var sequence = GroupSequence()
        let missed = numbers.map { sequence.receive($0) }
        return (sequence, missed)
    }

    @Test func `the first sample loses nothing, whatever its number`() {
        let (sequence, missed) = receive([4711, 4712])
        #expect(missed == [0, 0] && sequence.lost == 0 && sequence.received == 2)
    }

    @Test func `a gap is as many samples as are missing`() {
        let (sequence, missed) = receive([0, 1, 5, 6, 108])
        #expect(missed == [0, 0, 3, 0, 101])
        #expect(sequence.lost == 104 && sequence.received == 5 && sequence.restarts == 0)
    }

    @Test func `numbers go on after the highest`() {
        let (sequence, missed) = receive([.max - 1, .max, 0, 2])
        #expect(missed == [0, 0, 0, 1] && sequence.lost == 1 && sequence.restarts == 0)
    }

    @Test func `who comes late is no longer lost`() {
        let (sequence, missed) = receive([0, 3, 1, 4, 2])
        #expect(missed == [0, 2, 0, 0, 0])
        #expect(sequence.lost == 0 && sequence.reordered == 2 && sequence.repeated == 0)
    }

    @Test(arguments: [UInt32(1), 31, 62, 63]) func `as far back as it reaches`(distance: UInt32) {
        let (sequence, _) = receive([100, 100 + distance + 1, 101])
        #expect(sequence.lost == UInt64(distance) - 1 && sequence.reordered == 1 && sequence.restarts == 0)
    }

    @Test func `what overtook the first sample was never lost`() {
        let (sequence, _) = receive([10, 9, 11])
        #expect(sequence.lost == 0 && sequence.reordered == 1 && sequence.repeated == 0)
    }

    @Test func `a number that comes twice is counted as such`() {
        let (sequence, _) = receive([0, 1, 1, 3, 2, 2, 1])
        #expect(sequence.lost == 0 && sequence.repeated == 3 && sequence.reordered == 1)
    }

    @Test func `a group that was made anew without our hearing of it begins anew`() {
        let (sequence, missed) = receive([5000, 5001, 3, 4, 6])
        #expect(missed == [0, 0, 0, 0, 1])
        #expect(sequence.restarts == 1 && sequence.lost == 1)
    }

    @Test func `one sample that comes very late is no new group, and no longer lost`() {
        let (sequence, missed) = receive([0, 200, 100, 201, 202])
        #expect(missed == [0, 199, 0, 0, 0])
        #expect(sequence.restarts == 0 && sequence.reordered == 1 && sequence.lost == 198)
    }

    @Test func `of a group that we hear being made the first numbers count`() {
        var sequence = receive([7, 8]).sequence
        sequence.restart()
        #expect(sequence.receive(2) == 2)
        #expect(sequence.receive(0) == 0 && sequence.receive(1) == 0)
        #expect(sequence.lost == 0 && sequence.restarts == 1 && sequence.reordered == 2 && sequence.received == 5)
        var new = GroupSequence()
        new.restart()
        #expect(new.receive(0) == 0 && new.restarts == 0 && new.lost == 0)
    }

    @Test func `any numbers in any order keep the sums`() {
        for _ in 0..<200 {
            var sequence = GroupSequence()
            var number = UInt32.random(in: 0 ... .max)
            for _ in 0..<500 {
                number = number &+ UInt32.random(in: 0...3) &- (Bool.random() ? UInt32.random(in: 0...80) : 0)
                sequence.receive(Int.random(in: 0..<100) == 0 ? .random(in: 0 ... .max) : number)
            }
            #expect(sequence.received == 500)
            #expect(sequence.lost < 1 << 42, "no count goes below zero")
        }
    }
}
