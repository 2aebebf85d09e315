import Testing

@testable import probe

@Suite struct TimeSpanTests {
    @Test(arguments: [
        ("1ns", 1), ("250us", 250_000), ("500ms", 500_000_000), ("10s", 10_000_000_000), ("10", 10_000_000_000),
        ("1m", 60_000_000_000), ("2h", 7_200_000_000_000), ("0.5", 500_000_000), (".5s", 500_000_000),
        ("1.5ms", 1_500_000), ("0", 0), ("0.1ns", 0), ("0.6ns", 1), ("007s", 7_000_000_000),
    ])
    func `A number with or without a unit is converted to nanoseconds`(_ text: String, _ expected: Int64) {
        #expect(TimeSpan(argument: text)?.nanoseconds == expected)
    }

    @Test(arguments: [
        "", "s", "ms", "ns", ".", ".s", "1.2.3s", "-1s", "-1", "+1s", "--1", " 1s", "1 s", "1s ", "1S", "1sec", "1d",
        "1e9", "1e400", "1E3s", "0x10", "0x10s", "nan", "NaN", "nans", "inf", "infs", "infinity", "1_000", "1,5s",
        "1s1s", "1ms2", "1µs", "\0", "1\0s", "1\n",
    ])
    func `Text that is no duration is rejected`(_ text: String) {
        #expect(TimeSpan(argument: text) == nil, "\(text)")
    }

    @Test(arguments: ["١s", "１s", "½s", "²s", "五s", "Ⅷs", "1\u{301}s", "1s\u{301}", "१२ms", "🄀s"])
    func `Digits of other scripts are rejected`(_ text: String) {
        #expect(TimeSpan(argument: text) == nil, "\(text)")
    }

    @Test(arguments: [
        "9223372036854775807ns", "1000000000s", "277778h", "18446744073709551616", "99999999999999999999h",
    ])
    func `1e18 ns (31.7 years) and more are rejected`(_ text: String) {
        #expect(TimeSpan(argument: text) == nil, "\(text)")
    }

    @Test func `A number that exceeds every type is rejected, and leading zeros are accepted`() {
        #expect(TimeSpan(argument: String(repeating: "9", count: 400)) == nil)
        #expect(TimeSpan(argument: String(repeating: "9", count: 100_000) + "h") == nil)
        #expect(TimeSpan(argument: String(repeating: "0", count: 400) + "1s")?.nanoseconds == 1_000_000_000)
    }

    @Test func `A duration just below the limit is accepted`() {
        let expected: Int64 = 999_997_200_000_000_000
        #expect(TimeSpan(argument: "277777h")?.nanoseconds == expected)
    }

    @Test(
        arguments: [
            (0, "0ns"), (1, "1ns"), (999, "999ns"), (1000, "1us"), (1500, "1500ns"), (1_000_000, "1ms"),
            (2_000_000_000, "2s"), (2_500_000_000, "2500ms"), (60_000_000_000, "1m"), (90_000_000_000, "90s"),
            (3_600_000_000_000, "1h"),
        ] as [(Int64, String)])
    func `A duration is printed in the largest unit without a fraction, and parses to the same value`(
        _ nanoseconds: Int64, _ expected: String
    ) {
        let span = TimeSpan(nanoseconds: nanoseconds)
        #expect(span.description == expected)
        #expect(TimeSpan(argument: expected)?.nanoseconds == nanoseconds)
    }
}
