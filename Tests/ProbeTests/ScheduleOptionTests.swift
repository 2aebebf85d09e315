import STAMPSession
import Testing

@testable import probe

@Suite struct ScheduleOptionTests {
    @Test(
        arguments: [
            ("periodic", .periodic), ("poisson", .poisson), ("burst:1", .burst(1)), ("burst:10", .burst(10)),
            ("burst:10000", .burst(10_000)),
        ] as [(String, ScheduleOption)])
    func `A schedule is read, and written as it was read`(_ text: String, _ schedule: ScheduleOption) {
        #expect(ScheduleOption(argument: text) == schedule)
        #expect(schedule.description == text)
    }

    @Test(arguments: [
        "", "Periodic", "burst", "burst:", "burst:0", "burst:-1", "burst:10001", "burst:4294967296", "burst:1.5",
        "burst: 5", "burst:5 ", "poisson:1", "burst:+x",
    ])
    func `Another text is no schedule`(_ text: String) {
        #expect(ScheduleOption(argument: text) == nil)
    }

    @Test func `Only a Poisson schedule depends on the session`() {
        let patterns = [ScheduleOption.periodic, .poisson, .burst(3)].map { $0.pattern(seed: 7) }
        var found: [String] = []
        for pattern in patterns {
            switch pattern {
            case .periodic: found.append("periodic")
            case .poisson(let seed): found.append("poisson \(seed)")
            case .burst(let size): found.append("burst \(size)")
            }
        }
        #expect(found == ["periodic", "poisson 7", "burst 3"])
    }
}
