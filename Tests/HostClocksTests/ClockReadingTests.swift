import Glibc
import LinuxKernel
import Testing

@testable import HostClocks

@Suite struct ClockReadingTests {
    typealias Bracket = ClockReading.Bracket

    @Test("The shortest bracket is taken, its middle is the time, half of it and one is the error")
    func shortest() throws {
        let brackets = [
            Bracket(before: 100, hardware: 7, after: 900), Bracket(before: 1000, hardware: 8, after: 1101),
            Bracket(before: 2000, hardware: 9, after: 2500),
        ]
        let reading = try #require(ClockReading(shortestOf: brackets, method: .extended))
        #expect(reading == ClockReading(hardware: 8, realtime: 1050, error: 52, method: .extended))
    }

    @Test("A clock read at one moment is off by the rounding alone")
    func oneMoment() throws {
        let brackets = [Bracket(before: 5, hardware: 3, after: 5)]
        #expect(try #require(ClockReading(shortestOf: brackets, method: .precise)).error == 1)
    }

    @Test("Brackets in which the system's clock went back, or that no difference fits, are not taken")
    func unsound() {
        let brackets = [
            Bracket(before: 10, hardware: 1, after: 9), Bracket(before: .min, hardware: 1, after: .max),
        ]
        #expect(ClockReading(shortestOf: brackets, method: .plain) == nil)
        #expect(
            ClockReading(shortestOf: brackets + [Bracket(before: 0, hardware: 2, after: 50)], method: .plain) != nil)
        #expect(ClockReading(shortestOf: [Bracket](), method: .plain) == nil)
    }

    @Test("A clock that is not there is told of")
    func absent() {
        #expect(throws: SystemError("open the hardware clock", code: ENOENT)) {
            _ = try HardwareClock(index: 4095).index
        }
    }
}
