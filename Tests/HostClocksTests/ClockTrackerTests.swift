import Testing

@testable import HostClocks

@Suite struct ClockTrackerTests {
    /// Readings of a clock that runs at `rate` against the system clock, every 100 ms.
    private func readings(
        _ count: Int, rate: Double = 1, error: Int64 = 100, from start: Int64 = 1_700_000_000_000_000_000,
        hardware first: Int64 = 37_000_000_000, scatter: (Int) -> Int64 = { _ in 0 }
    ) -> [ClockReading] {
        (0..<count).map { index in
            let elapsed = Int64(index) * 100_000_000
            return ClockReading(
                hardware: first + Int64((Double(elapsed) * rate).rounded()),
                realtime: start + elapsed + scatter(index), error: error, method: .extended)
        }
    }

    private func track(_ readings: [ClockReading]) -> (ClockTracker, [ClockTracker.Course]) {
        var tracker = ClockTracker()
        let courses = readings.map { tracker.add($0) }
        return (tracker, courses)
    }

    @Test(
        "Two readings make a line, which converts timestamps within the stated bound",
        arguments: [1, 1.00005, 0.4, 2.5])
    func line(rate: Double) throws {
        let (tracker, courses) = track(readings(20, rate: rate))
        #expect(courses == [.begins] + Array(repeating: .steady, count: 19))
        let model = try #require(tracker.model)
        #expect(abs(model.rate * rate - 1) < 1e-6)
        for elapsed in [-500_000_000, 0, 1, 50_000_000, 5_000_000_000] as [Int64] {
            let end: Int64 = 19 * 100_000_000
            let stamp = 37_000_000_000 + Int64((Double(end + elapsed) * rate).rounded())
            let (time, error) = try #require(model.realtime(ofHardware: stamp))
            let truth = 1_700_000_000_000_000_000 + end + elapsed
            #expect(abs(time - truth) <= error)
            #expect(error >= 100 && error < 100 + 20 + abs(elapsed) / 1_000_000 * 400)
        }
    }

    @Test("One reading makes no line")
    func single() {
        let (tracker, courses) = track(readings(1))
        #expect(tracker.model == nil && courses == [.begins])
    }

    @Test("Readings that scatter beyond their errors widen the bound")
    func wander() throws {
        let calm = try #require(track(readings(16)).0.model)
        let restless = try #require(track(readings(16) { $0 == 8 ? 3000 : 0 }).0.model)
        #expect(calm.wander <= 1 && (2899...2901).contains(restless.wander))
        let (_, error) = try #require(restless.realtime(ofHardware: restless.anchor.hardware))
        #expect(error == 100 + restless.wander)
    }

    @Test("A step of either clock is reported with its size, and the model does not extend across it")
    func step() throws {
        let before = readings(20)
        for size in [1_000_000_000, -1_000_000_000, 12_000_000, -12_000_000] as [Int64] {
            var (tracker, _) = track(before)
            let later = readings(23)[20...].map {
                ClockReading(hardware: $0.hardware, realtime: $0.realtime + size, error: 100, method: .extended)
            }
            guard case .stepped(let found) = tracker.add(later[0]) else {
                Issue.record("\(size) was not found")
                continue
            }
            #expect(abs(found - size) < 200 && tracker.model == nil)
            #expect(tracker.add(later[1]) == .steady)
            let (time, error) = try #require(tracker.model?.realtime(ofHardware: later[2].hardware))
            #expect(abs(time - later[2].realtime) <= error)
        }
    }

    @Test("A hardware clock that is set back is a step")
    func hardwareBack() {
        var (tracker, _) = track(readings(20))
        let late = readings(21)[20]
        let back = ClockReading(hardware: 5, realtime: late.realtime, error: 100, method: .extended)
        guard case .stepped = tracker.add(back) else {
            Issue.record("not found")
            return
        }
        #expect(tracker.model == nil)
    }

    @Test("Steering by 400 ppm is no step")
    func steering() {
        var time: Int64 = 0
        let bent = readings(40) { index in
            if index > 20 { time += 40_000 }
            return time
        }
        #expect(track(bent).1.dropFirst().allSatisfy { $0 == .steady })
    }

    @Test(
        "A change that could be slewing is no step, but the model does not extend across it",
        arguments: [300_000, -300_000])
    func small(size: Int64) throws {
        var (tracker, _) = track(readings(20))
        let later = readings(23)[20...].map {
            ClockReading(hardware: $0.hardware, realtime: $0.realtime + size, error: 100, method: .extended)
        }
        #expect(tracker.add(later[0]) == .begins && tracker.model == nil)
        #expect(tracker.add(later[1]) == .steady)
        let (time, error) = try #require(tracker.model?.realtime(ofHardware: later[2].hardware))
        #expect(abs(time - later[2].realtime) <= error)
    }

    @Test("Slewing as fast as daemons do is no step, but begins a new line")
    func slewing() throws {
        var time: Int64 = 0
        let bent = readings(40) { index in
            if index > 20 { time += 8_333_300 }
            return time
        }
        let (tracker, courses) = track(bent)
        #expect(courses[21] == .begins)
        #expect(courses[22...].allSatisfy { $0 == .steady })
        #expect(try #require(tracker.model).rate > 1.08)
    }

    @Test("Two readings at an implausible rate are a step")
    func absurd() {
        var (tracker, _) = track(readings(1))
        let first = readings(1)[0]
        let set = ClockReading(
            hardware: first.hardware + 1_700_000_000_000_000_000, realtime: first.realtime + 10_000_000, error: 100,
            method: .extended)
        guard case .stepped = tracker.add(set) else {
            Issue.record("not found")
            return
        }
        #expect(tracker.model == nil)
    }

    @Test("A reading at the limits of Int64 is a step")
    func extremeReadings() {
        let ends: [Int64] = [.min, -1, 0, 1, .max]
        for hardware in ends {
            for realtime in ends {
                var (tracker, _) = track(readings(3))
                let reading = ClockReading(hardware: hardware, realtime: realtime, error: 100, method: .plain)
                guard case .stepped = tracker.add(reading) else {
                    Issue.record("no step at \(hardware) \(realtime)")
                    continue
                }
                #expect(tracker.add(reading) == .steady && tracker.model == nil)
            }
        }
    }

    @Test("A timestamp is converted near the anchor, and nil beyond a day or at an overflow")
    func extremeTimestamps() throws {
        let near = try #require(track(readings(3)).0.model)
        #expect(near.realtime(ofHardware: .min) == nil && near.realtime(ofHardware: .max) == nil)
        for stamp in [-1, 0, 1] as [Int64] {
            let (time, error) = try #require(near.realtime(ofHardware: stamp))
            #expect(abs(time - (1_700_000_000_000_000_000 - 37_000_000_000 + stamp)) <= error)
        }
        let model = ClockModel(
            anchor: ClockReading(hardware: 0, realtime: .max, error: .max, method: .plain), rate: 1e9, rateError: 1,
            wander: .max)
        for stamp in [.min, -1, 0, 1, .max] as [Int64] { #expect(model.realtime(ofHardware: stamp) == nil) }
    }

    @Test("Repeating a reading changes nothing")
    func again() throws {
        let all = readings(5)
        var (tracker, _) = track(all)
        let model = tracker.model
        #expect(tracker.add(all[4]) == .steady && tracker.model == model)
    }
}
