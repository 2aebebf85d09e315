import Glibc
import LinuxKernel
import Testing

@testable import HostClocks

@Suite struct ClockReadingTests {
    typealias Bracket = ClockReading.Bracket

    @Test("The shortest bracket is selected: its middle is the time, and half of it plus one is the error")
    func shortest() throws {
        let brackets = [
            Bracket(before: 100, hardware: 7, after: 900), Bracket(before: 1000, hardware: 8, after: 1101),
            Bracket(before: 2000, hardware: 9, after: 2500),
        ]
        let reading = try #require(ClockReading(shortestOf: brackets, method: .extended))
        #expect(reading == ClockReading(hardware: 8, realtime: 1050, error: 52, method: .extended))
    }

    @Test("A clock read at one instant has only the rounding error")
    func oneMoment() throws {
        let brackets = [Bracket(before: 5, hardware: 3, after: 5)]
        #expect(try #require(ClockReading(shortestOf: brackets, method: .precise)).error == 1)
    }

    @Test("Brackets in which the system clock goes back, or whose width overflows, are rejected")
    func unsound() {
        let brackets = [
            Bracket(before: 10, hardware: 1, after: 9), Bracket(before: .min, hardware: 1, after: .max),
        ]
        #expect(ClockReading(shortestOf: brackets, method: .plain) == nil)
        #expect(
            ClockReading(shortestOf: brackets + [Bracket(before: 0, hardware: 2, after: 50)], method: .plain) != nil)
        #expect(ClockReading(shortestOf: [Bracket](), method: .plain) == nil)
    }

    @Test("Opening a clock that does not exist throws ENOENT")
    func absent() {
        #expect(throws: SystemError("open the hardware clock", code: ENOENT)) {
            _ = try HardwareClock(index: 4095).index
        }
    }
}
