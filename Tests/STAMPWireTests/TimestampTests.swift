import STAMPWire
import Testing

@Suite("Timestamps")
struct TimestampTests {
    /// 2036-02-07T06:28:16Z, the end of the NTP era of 1900.
    static let eraEnd: Int64 = 2_085_978_496
    /// 2106-02-07T06:28:16Z, the end of 32-bit Unix seconds.
    static let unixWrap: Int64 = 4_294_967_296
    static let seconds: [Int64] = [
        0, 1, 1_700_000_000, eraEnd - 1, eraEnd, eraEnd + 1, unixWrap - 1, unixWrap, 6_000_000_000, -1, -2_208_988_800,
        -2_208_988_801,
    ]
    static let nanoseconds: [Int64] = [0, 1, 2, 3, 999, 499_999_999, 500_000_000, 999_999_998, 999_999_999]

    @Test(
        "NTP timestamps have the bits of RFC 5905, with the fraction rounded up",
        arguments: [
            (1_700_000_000_000_000_000, 0xE8FE_6F80_0000_0000), (1_700_000_000_000_000_001, 0xE8FE_6F80_0000_0005),
            (1_700_000_000_500_000_000, 0xE8FE_6F80_8000_0000), (1_700_000_000_123_456_789, 0xE8FE_6F80_1F9A_DD38),
            (1_700_000_000_999_999_999, 0xE8FE_6F80_FFFF_FFFC), (2_085_978_495_999_999_999, 0xFFFF_FFFF_FFFF_FFFC),
            (2_085_978_496_000_000_000, 0x0000_0000_0000_0000), (0, 0x83AA_7E80_0000_0000),
            (-1, 0x83AA_7E7F_FFFF_FFFC),
        ] as [(Int64, UInt64)])
    func ntpBits(unixNanoseconds: Int64, rawValue: UInt64) {
        #expect(NTPTimestamp(unixNanoseconds: unixNanoseconds).rawValue == rawValue)
    }

    @Test("NTP and PTP recover every nanosecond at the edges of a second and of an era")
    func roundTrip() {
        for seconds in Self.seconds {
            for nanoseconds in Self.nanoseconds {
                let time = seconds * 1_000_000_000 + nanoseconds
                for distance: Int64 in [0, 1, -1, 3_000_000_000, -3_000_000_000, 1 << 60, -1 << 60] {
                    let pivot = time + distance
                    #expect(NTPTimestamp(unixNanoseconds: time).unixNanoseconds(near: pivot) == time)
                    #expect(PTPTimestamp(unixNanoseconds: time).unixNanoseconds(near: pivot) == time)
                }
            }
        }
    }

    @Test("NTP and PTP recover random nanoseconds")
    func randomRoundTrip() {
        var generator = SeededGenerator(state: 3)
        for _ in 0..<20_000 {
            let time = Int64.random(in: -9_000_000_000_000_000_000...9_000_000_000_000_000_000, using: &generator)
            #expect(NTPTimestamp(unixNanoseconds: time).unixNanoseconds(near: time) == time)
            #expect(PTPTimestamp(unixNanoseconds: time).unixNanoseconds(near: time) == time)
        }
    }

    @Test("Consecutive nanoseconds have distinct NTP fractions")
    func distinct() {
        let start: Int64 = 1_700_000_000_999_990_000
        for time in start..<start + 20_000 {
            #expect(NTPTimestamp(unixNanoseconds: time).unixNanoseconds(near: start) == time)
            #expect(
                NTPTimestamp(unixNanoseconds: time).rawValue < NTPTimestamp(unixNanoseconds: time + 1).rawValue)
        }
    }

    @Test("A fraction between two nanoseconds is rounded down")
    func roundsDown() {
        let base: UInt64 = 0xE8FE_6F80_0000_0000
        #expect(NTPTimestamp(rawValue: base + 4).unixNanoseconds(near: 0) % 1_000_000_000 == 0)
        #expect(NTPTimestamp(rawValue: base + 5).unixNanoseconds(near: 0) % 1_000_000_000 == 1)
        #expect(NTPTimestamp(rawValue: base + 0xFFFF_FFFF).unixNanoseconds(near: 0) % 1_000_000_000 == 999_999_999)
    }

    @Test("The era is the one nearest to the pivot")
    func era() {
        let before = NTPTimestamp(rawValue: 0xFFFF_FFFF_0000_0000)
        let after = NTPTimestamp(rawValue: 0x0000_0001_0000_0000)
        for pivot in [Self.eraEnd - 10, Self.eraEnd + 10] {
            #expect(before.unixNanoseconds(near: pivot * 1_000_000_000) == (Self.eraEnd - 1) * 1_000_000_000)
            #expect(after.unixNanoseconds(near: pivot * 1_000_000_000) == (Self.eraEnd + 1) * 1_000_000_000)
        }
        // Near 1900, the same bits are a time of 1900.
        #expect(after.unixNanoseconds(near: -2_208_988_800_000_000_000) == -2_208_988_799_000_000_000)
    }

    @Test("A distance of half the wrap counts as the past")
    func halfway() {
        let pivot: Int64 = 1_700_000_000
        let half: Int64 = 1 << 31
        for (offset, expected) in [(-half, -half), (-half + 1, -half + 1), (half - 1, half - 1), (half, -half)] {
            let stamp = PTPTimestamp(unixNanoseconds: (pivot + offset) * 1_000_000_000)
            #expect(stamp.unixNanoseconds(near: pivot * 1_000_000_000) == (pivot + expected) * 1_000_000_000)
        }
    }

    @Test("PTP timestamps are seconds and nanoseconds in 32 bits each")
    func ptpBits() {
        #expect(PTPTimestamp(unixNanoseconds: 1_700_000_000_123_456_789).rawValue == 0x6553_F100_075B_CD15)
        #expect(PTPTimestamp(unixNanoseconds: -1).rawValue == 0xFFFF_FFFF_3B9A_C9FF)
        #expect(PTPTimestamp(unixNanoseconds: Self.unixWrap * 1_000_000_000).rawValue == 0)
    }

    @Test("A PTP nanoseconds field of a second or more is invalid")
    func ptpInvalid() {
        #expect(PTPTimestamp(rawValue: 999_999_999).unixNanoseconds(near: 0) == 999_999_999)
        #expect(PTPTimestamp(rawValue: 1_000_000_000).unixNanoseconds(near: 0) == nil)
        #expect(PTPTimestamp(rawValue: 0xFFFF_FFFF).unixNanoseconds(near: 0) == nil)
    }

    @Test("At the limits of Int64 the result saturates")
    func ends() {
        for pivot in [Int64.min, .min + 1, .max - 1, .max] {
            #expect(NTPTimestamp(unixNanoseconds: pivot).unixNanoseconds(near: pivot) == pivot)
            #expect(PTPTimestamp(unixNanoseconds: pivot).unixNanoseconds(near: pivot) == pivot)
            for seconds: UInt64 in [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] {
                let ntp = NTPTimestamp(rawValue: seconds << 32 | 0xFFFF_FFFF).unixNanoseconds(near: pivot)
                #expect((ntp < 0) == (pivot < 0))
            }
        }
        let ahead = NTPTimestamp(
            rawValue: NTPTimestamp(unixNanoseconds: .max).rawValue &+ 1 << 32)
        #expect(ahead.unixNanoseconds(near: .max) == .max)
        let behind = NTPTimestamp(
            rawValue: NTPTimestamp(unixNanoseconds: .min).rawValue &- 1 << 32)
        #expect(behind.unixNanoseconds(near: .min) == .min)
    }
}
