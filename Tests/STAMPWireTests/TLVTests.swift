import STAMPWire
import Testing

@Suite("TLVs")
struct TLVTests {
    private let base = [UInt8](repeating: 0xFF, count: 44)

    @Test("Flags, type, length and value are at their offsets from RFC 8972 section 4")
    func layout() {
        let found = tlvs(in: base + hex("80 03 0004 01020304 00 01 0002 aabb e0 f0 0000"))
        #expect(found.map(\.flags) == [0x80, 0, 0xE0])
        #expect(found.map(\.type) == [3, 1, 240])
        #expect(found.map(\.offset) == [44, 52, 58])
        #expect(found.map(\.value) == [48..<52, 56..<58, 62..<62])
        #expect(found.allSatisfy { !$0.isTruncated })
    }

    @Test("U, M and I are the three highest flags")
    func flags() {
        let found = tlvs(in: base + hex("80 01 0000 40 01 0000 20 01 0000 1f 01 0000"))
        #expect(found.map(\.isUnrecognized) == [true, false, false, false])
        #expect(found.map(\.isMalformed) == [false, true, false, false])
        #expect(found.map(\.hasFailedIntegrity) == [false, false, true, false])
    }

    @Test("A TLV whose length runs past the end is reported once, as the last")
    func truncated() throws {
        let found = tlvs(in: base + hex("80 01 0001 aa 80 03 0005 01020304"))
        #expect(found.count == 2)
        let last = try #require(found.last)
        #expect(last.isTruncated && last.isMalformed && last.type == 3 && last.offset == 49 && last.value == 53..<57)
    }

    @Test("A remainder too short for a header is reported once as malformed", arguments: [1, 2, 3])
    func partialHeader(count: Int) throws {
        let found = tlvs(in: base + hex("80 01 0000") + hex("80 03 00").prefix(count))
        #expect(found.count == 2)
        let last = try #require(found.last)
        #expect(last.isTruncated && last.flags == 0x80 && last.offset == 48 && last.value.isEmpty)
        #expect(last.type == (count == 1 ? 0 : 3))
        #expect(last.value.upperBound == 48 + count)
    }

    @Test("A remainder of zeros is padding, at any length")
    func zeros() {
        for count in 0..<10 {
            #expect(tlvs(in: base + [UInt8](repeating: 0, count: count)).isEmpty)
            #expect(tlvs(in: base + hex("80 01 0001 ff") + [UInt8](repeating: 0, count: count)).count == 1)
        }
    }

    @Test("Type zero with a flag or a length is a TLV")
    func typeZero() {
        #expect(tlvs(in: base + hex("80 00 0000")).map(\.type) == [0])
        #expect(tlvs(in: base + hex("00 00 0001 ff")).map(\.value) == [48..<49])
    }

    @Test("The walk starts at the given offset, and nowhere outside the packet")
    func start() {
        #expect(tlvs(in: hex("80 01 0000"), from: 0).count == 1)
        #expect(tlvs(in: hex("80 01 0000"), from: 4).isEmpty)
        #expect(tlvs(in: hex("80 01 0000"), from: -1).isEmpty)
        #expect(tlvs(in: hex("80 01 0000"), from: .min).isEmpty)
        #expect(tlvs(in: hex("80 01 0000"), from: .max).isEmpty)
        #expect(tlvs(in: base).isEmpty)
        #expect(tlvs(in: []).isEmpty)
    }

    @Test("Timestamp information is four bytes, in before out")
    func timestampInformation() {
        let value = TimestampInformation(syncSourceIn: 1, methodIn: 2, syncSourceOut: 3, methodOut: 4)
        #expect(written(6) { span in value.write(into: &span, at: 1) } == hex("ee 01020304 ee"))
        #expect(TimestampInformation(bytes: hex("01020304")) == value)
    }

    @Test("Class of service is DSCP1, DSCP2, ECN and RP in six, six, two and two bits")
    func classOfService() {
        // 101110 001010 01 10: the figure of RFC 8972 section 4.4.
        let value = ClassOfService(requestedDSCP: 46, receivedDSCP: 10, receivedECN: 1, reversePath: 2)
        #expect(written(6) { span in value.write(into: &span, at: 1) } == hex("ee b8a6 0000 ee"))
        #expect(ClassOfService(bytes: hex("b8a6 ffff")) == value)
        let wide = ClassOfService(requestedDSCP: 0x40, receivedDSCP: 0x40, receivedECN: 4, reversePath: 4)
        #expect(written(4) { span in wide.write(into: &span, at: 0) } == hex("00000000"))
    }

    @Test("Follow-up telemetry is sequence, timestamp, method and three zeros")
    func followUp() {
        let value = FollowUp(sequence: 0x0102_0304, timestamp: 0x1122_3344_5566_7788, method: 1)
        let bytes = hex("01020304 1122334455667788 01 000000")
        #expect(written(18) { span in value.write(into: &span, at: 1) } == [0xEE] + bytes + [0xEE])
        #expect(FollowUp(bytes: bytes) == value)
        #expect(FollowUp(bytes: (bytes.dropLast(3) + [1, 2, 3])) == value)
        #expect(!value.isAbsent)
        #expect(FollowUp(bytes: [UInt8](repeating: 0, count: 16))?.isAbsent == true)
    }

    @Test("A value of another length is rejected", arguments: 0..<20)
    func lengths(count: Int) {
        let bytes = [UInt8](repeating: 1, count: count)
        #expect((TimestampInformation(bytes: bytes) != nil) == (count == 4))
        #expect((ClassOfService(bytes: bytes) != nil) == (count == 4))
        #expect((FollowUp(bytes: bytes) != nil) == (count == 16))
    }

    @Test("Nothing is written if a value does not fit", arguments: [-1, 0, 1, .max, .min])
    func noRoom(offset: Int) {
        let bytes = written(3) { span in
            let service = ClassOfService(requestedDSCP: 1).write(into: &span, at: offset)
            let followUp = FollowUp(sequence: 1, timestamp: 2, method: 3).write(into: &span, at: offset)
            let information = TimestampInformation(syncSourceIn: 1, methodIn: 2, syncSourceOut: 3, methodOut: 4)
                .write(into: &span, at: offset)
            return !service && !followUp && !information
        }
        #expect(bytes == [0xEE, 0xEE, 0xEE])
    }
}
