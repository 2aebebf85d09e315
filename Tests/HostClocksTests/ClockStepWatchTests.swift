import Testing

@testable import HostClocks

@Suite struct ClockStepWatchTests {
    private static let start: Int64 = 1_700_000_000_000_000_000
    private var watch = ClockStepWatch(from: Self.reading(0))

    /// The clocks at `elapsed` nanoseconds after boot, with CLOCK_REALTIME set forward by `offset`.
    private static func reading(
        _ elapsed: Int64, offset: Int64 = 0, width: Int64 = 60, at place: Int64 = 30
    ) -> ClockStepWatch.Reading {
        ClockStepWatch.Reading(
            before: elapsed, realtime: start + elapsed + place + offset, after: elapsed + width)
    }

    @Test mutating func `A clock that is not set shows no step, wherever in the bracket it is read`() {
        for round in Int64(1)...1000 {
            let width = 40 + round % 97
            #expect(watch.record(Self.reading(round * 1_000_000, width: width, at: round % width)) == nil)
        }
        #expect(watch.steps == 0)
    }

    @Test(arguments: [1_000_000_000, -1_000_000_000, 37_000_000_000, 20_000, -500, 250] as [Int64])
    mutating func `A step is reported once, with its size and a valid error bound`(_ amount: Int64) throws {
        #expect(watch.record(Self.reading(1_000_000)) == nil)
        let found1 = watch.record(Self.reading(2_000_000, offset: amount, at: 55))
        let step = try #require(found1)
        #expect(abs(step.amount - amount) <= step.error)
        #expect(step.error <= 70)
        #expect(watch.steps == 1)
        #expect(watch.record(Self.reading(3_000_000, offset: amount)) == nil)
        #expect(watch.record(Self.reading(4_000_000)) != nil, "and back")
        #expect(watch.steps == 2)
    }

    @Test mutating func `A preempted reading hides a small step until the next reading, but no large one`() throws {
        #expect(watch.record(Self.reading(1_000_000, offset: 50_000, width: 100_000, at: 10)) == nil)
        let found2 = watch.record(Self.reading(2_000_000, offset: 50_000))
        let step = try #require(found2)
        #expect(abs(step.amount - 50_000) <= step.error && step.error < 100)
        let found3 = watch.record(Self.reading(3_000_000, offset: 10_000_000, width: 100_000, at: 99_000))
        let large = try #require(found3)
        #expect(abs(large.amount - 9_950_000) <= large.error)
        #expect(watch.steps == 2)
    }

    @Test mutating func `After a preempted reading, the next narrow one sets the bounds`() throws {
        var watch = ClockStepWatch(from: Self.reading(0, width: 1_000_000, at: 500_000))
        #expect(watch.record(Self.reading(1_000_000)) == nil)
        let found4 = watch.record(Self.reading(2_000_000, offset: 1000))
        let step = try #require(found4)
        #expect(abs(step.amount - 1000) <= step.error && step.error < 100)
    }

    @Test mutating func `Differences within the rounding of the clocks are no step`() {
        for offset in [1, -1, 40, -40] as [Int64] {
            #expect(watch.record(Self.reading(1_000_000, offset: offset, width: 30, at: 15)) == nil)
        }
    }

    @Test mutating func `An impossible reading is ignored, and clocks at the limits of Int64 count as steps`() {
        #expect(watch.record(.init(before: 100, realtime: Self.start, after: 0)) == nil)
        #expect(watch.steps == 0)
        var reported: UInt32 = 0
        for value in [Int64.min, 0, .max] {
            for realtime in [Int64.max, .min] {
                if watch.record(.init(before: value, realtime: realtime, after: value)) != nil { reported += 1 }
            }
        }
        #expect(reported > 0 && watch.steps == reported)
    }

    @Test func `The system clock shows no step while nothing sets it`() {
        var watch = ClockStepWatch()
        var steps = 0
        for _ in 0..<200_000 where watch.read() != nil { steps += 1 }
        #expect(steps == 0)
    }
}
