import Foundation
import Testing

@testable import Report

@Suite struct TimestampTextTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
        (951_868_799_999_999_999, "2000-02-29T23:59:59.999999999Z"),
        (951_868_800_000_000_000, "2000-03-01T00:00:00.000000000Z"),
        (1_652_138_202_507_654_453, "2022-05-09T23:16:42.507654453Z"),
        (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000000000Z"),
        (2_085_978_496_000_000_000, "2036-02-07T06:28:16.000000000Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
        (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999999Z"),
        (-2_208_988_800_000_000_000, "1900-01-01T00:00:00.000000000Z"),
        (-2_203_891_200_000_000_001, "1900-02-28T23:59:59.999999999Z"),
        (.max, "2262-04-11T23:47:16.854775807Z"),
        (.min, "1677-09-21T00:12:43.145224192Z"),
    ])
    func `Known times are written in RFC 3339 format`(nanoseconds: Int64, expected: String) {
        #expect(timestampText(nanoseconds) == expected)
    }

    @Test func `Every day of the range agrees with Foundation's calendar`() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: Int64(-106_000), to: 106_000, by: 17) {
            let parts = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            let expected = String(format: "%04d-%02d-%02dT", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
            #expect(timestampText(day * 86_400_000_000_000).hasPrefix(expected))
        }
    }
}

@Suite struct DurationTextTests {
    @Test(arguments: [
        (Int64(0), "0 ns", "0ns"), (999, "999 ns", "999ns"), (-1, "-1 ns", "-1ns"),
        (1000, "1.000 us", "1.000us"), (9999, "9.999 us", "9.999us"), (10_000, "10.00 us", "10.000us"),
        (12_345, "12.35 us", "12.345us"), (99_994, "99.99 us", "99.994us"), (99_995, "100.0 us", "99.995us"),
        (999_949, "999.9 us", "999.949us"), (999_950, "1.000 ms", "999.950us"), (1_000_000, "1.000 ms", "1.000000ms"),
        (-1_234_567, "-1.235 ms", "-1.234567ms"), (999_950_000, "1.000 s", "999.950000ms"),
        (1_000_000_001, "1.000 s", "1.000000001s"), (59_999_500_000, "60.00 s", "59.999500000s"),
        (3_600_000_000_000, "3600 s", "3600.000000000s"), (99_999_499_999_999, "99999 s", "99999.499999999s"),
        (99_999_500_000_000, "1.000e5 s", "99999.500000000s"),
        (1_795_256_040_123_456_789, "1.795e9 s", "1795256040.123456789s"),
        (.min, "-9.223e9 s", "-9223372036.854775808s"), (.max, "9.223e9 s", "9223372036.854775807s"),
    ])
    func `Durations use the unit that fits`(nanoseconds: Int64, rounded: String, exact: String) {
        #expect(roundedDurationText(nanoseconds) == rounded)
        #expect(exactDurationText(nanoseconds) == exact)
    }

    @Test func `A rounded duration has at most ten characters, and is close to its value`() throws {
        let units = ["ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9]
        var generator = SplitMix(state: 41)
        for _ in 0..<20_000 {
            let value = Int64(truncatingIfNeeded: generator.next()) >> (generator.next() % 64)
            let text = roundedDurationText(value)
            #expect(text.utf8.count <= 10)
            let parts = text.split(separator: " ")
            let number = try #require(Double(parts[0]))
            let shown = number * (units[String(parts[1])] ?? .nan)
            #expect((shown - Double(value)).magnitude <= Double(value.magnitude) * 0.0005)
        }
    }
}

@Suite struct DecimalTextTests {
    @Test func `Integers of every width are read as they were written`() {
        var generator = SplitMix(state: 42)
        for _ in 0..<5000 {
            let value = generator.next() >> (generator.next() % 64)
            var bytes: [UInt8] = []
            bytes.appendDecimal(value)
            #expect(bytes.text == String(value))
            #expect(parseDecimal(bytes[...]) == value)
        }
        for value in [Int64.min, .max, 0, -1] {
            var bytes: [UInt8] = []
            bytes.appendDecimal(value)
            #expect(bytes.text == String(value))
            #expect(parseDecimal(bytes[...]) == value)
        }
        var largest: [UInt8] = []
        largest.appendDecimal(UInt64.max)
        #expect(largest.text == "18446744073709551615")
    }

    @Test func `A fixed width has leading zeros or only the lowest digits`() {
        var bytes: [UInt8] = []
        bytes.appendDecimal(7, width: 3)
        bytes.appendDecimal(12_345, width: 2)
        #expect(bytes.text == "00745")
    }

    @Test func `Sessions are 16 hexadecimal digits`() {
        #expect(sessionText(0xAB_CDEF) == "0000000000abcdef")
        #expect(parseSession(Array("00000000ABCDEF01".utf8)[...]) == 0xABCD_EF01)
        #expect(parseSession(Array("00000000abcdef0".utf8)[...]) == nil)
        #expect(parseSession(Array("00000000abcdef0 ".utf8)[...]) == nil)
    }
}
