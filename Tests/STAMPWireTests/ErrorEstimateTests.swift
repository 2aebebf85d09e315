import STAMPWire
import Testing

@Suite("Error estimates")
struct ErrorEstimateTests {
    @Test(
        "The scale is the smallest at which the error, rounded up, fits the multiplier",
        arguments: [
            // error in ns, scale, multiplier: units of 2^-32 s are 0.2328 ns.
            (0, 0, 1), (-5, 0, 1), (1, 0, 5), (59, 0, 254), (60, 1, 129), (118, 1, 254), (119, 2, 128), (1000, 5, 135),
            (1_000_000, 15, 132), (1_000_000_000, 25, 128), (1_992_187_500, 25, 255), (1_992_187_501, 26, 128),
            (60_000_000_000, 30, 240), (.max, 58, 138),
        ] as [(Int64, UInt8, UInt8)])
    func smallestScale(nanoseconds: Int64, scale: UInt8, multiplier: UInt8) {
        let estimate = ErrorEstimate(synchronized: false, isPTP: false, errorNanoseconds: nanoseconds)
        #expect(estimate.scale == scale)
        #expect(estimate.multiplier == multiplier)
    }

    @Test("The estimate is never below the error, and at most one part in 128 above it")
    func bound() throws {
        var generator = SeededGenerator(state: 4)
        for _ in 0..<20_000 {
            let error = Int64.random(in: 0 ... .max, using: &generator) >> Int64.random(in: 0..<62, using: &generator)
            let estimate = ErrorEstimate(synchronized: true, isPTP: false, errorNanoseconds: error)
            let read = try #require(estimate.errorNanoseconds)
            #expect(read >= error)
            #expect(read - error <= error / 127 + 2)
        }
    }

    @Test("From the highest bit: S, Z, six bits of scale, eight bits of multiplier")
    func bits() {
        #expect(ErrorEstimate(synchronized: true, isPTP: false, errorNanoseconds: 0).rawValue == 0x8001)
        #expect(ErrorEstimate(synchronized: false, isPTP: true, errorNanoseconds: 0).rawValue == 0x4001)
        #expect(ErrorEstimate(synchronized: true, isPTP: true, errorNanoseconds: 1_000_000_000).rawValue == 0xD980)
        let estimate = ErrorEstimate(rawValue: 0xBF7F)
        #expect(estimate.synchronized && !estimate.isPTP && estimate.scale == 63 && estimate.multiplier == 0x7F)
    }

    @Test(
        "The error in nanoseconds is rounded up, saturates, and is nil for a multiplier of zero",
        arguments: [
            (0x0001, 1), (0x0004, 1), (0x0005, 2), (0x2001, 1_000_000_000), (0x1980, 1_000_000_000),
            (0x20FF, 255_000_000_000), (0x3FFF, .max), (0x4100, nil), (0x8000, nil), (0x0000, nil),
        ] as [(UInt16, Int64?)])
    func reading(rawValue: UInt16, nanoseconds: Int64?) {
        #expect(ErrorEstimate(rawValue: rawValue).errorNanoseconds == nanoseconds)
    }

    @Test("Only a multiplier of zero has no error, among all 65536 values")
    func total() {
        for rawValue in UInt16.min ... .max {
            let estimate = ErrorEstimate(rawValue: rawValue)
            #expect((estimate.errorNanoseconds == nil) == (rawValue & 0xFF == 0))
        }
    }
}
