import STAMPWire
import Testing

@Suite("Probe layouts")
struct ProbeLayoutTests {
    private func failure(size: Int, classOfService: Bool) -> ProbeLayoutError? {
        do throws(ProbeLayoutError) {
            _ = try ProbeLayout(size: size, classOfService: classOfService)
            return nil
        } catch {
            return error
        }
    }

    @Test("The smallest probe is the base packet with three TLVs, and with class of service four")
    func minimum() throws {
        #expect(ProbeLayout.minimum == 44 + 8 + 20 + 244)
        #expect(try ProbeLayout(size: nil, classOfService: false).size == 316)
        #expect(try ProbeLayout(size: nil, classOfService: true).size == 324)
    }

    @Test("The fixed parts match the hand-written ones, with U set on every TLV")
    func golden() throws {
        let layout = try ProbeLayout(size: 334, classOfService: true)
        let bytes = written(336) { span in layout.writeFixedParts(into: &span, requestedDSCP: 46) }
        let expected =
            [UInt8](repeating: 0, count: 44) + hex("80 03 0004 00000000 80 07 0010") + [UInt8](repeating: 0, count: 16)
            + hex("80 f0 00f0") + [UInt8](repeating: 0, count: 240) + hex("80 04 0004 b8000000 80 01 0006 000000000000")
        #expect(bytes == expected + [0xEE, 0xEE])
    }

    @Test("Every offset is that of a value of its type", arguments: [nil, 320, 328, 1400], [false, true])
    func offsets(size: Int?, classOfService: Bool) throws {
        let layout = try ProbeLayout(size: size.map { max($0, 328) }, classOfService: classOfService)
        let bytes = written(layout.size) { span in layout.writeFixedParts(into: &span, requestedDSCP: 1) }
        var expected: [UInt8: Int] = [
            TLVType.timestampInformation: layout.timestampInformationOffset, TLVType.followUp: layout.followUpOffset,
            TLVType.pairedTimestamps: layout.pairedTimestampsOffset,
        ]
        expected[TLVType.classOfService] = layout.classOfServiceOffset
        expected[TLVType.extraPadding] = layout.paddingOffset
        let found = tlvs(in: bytes)
        #expect(Dictionary(uniqueKeysWithValues: found.map { ($0.type, $0.value.lowerBound) }) == expected)
        #expect(found.last?.value.upperBound == layout.size)
        #expect((layout.classOfServiceOffset != nil) == classOfService)
        #expect((layout.paddingOffset != nil) == (size != nil))
        #expect(found.allSatisfy { $0.flags == 0x80 })
    }

    @Test("Padding may be empty, and may fill the largest datagram")
    func padding() throws {
        #expect(try ProbeLayout(size: 320, classOfService: false).paddingOffset == 320)
        let layout = try ProbeLayout(size: 65507, classOfService: false)
        let bytes = written(65507) { span in layout.writeFixedParts(into: &span, requestedDSCP: 0) }
        #expect(tlvs(in: bytes).last?.value == 320..<65507)
    }

    @Test("An impossible size throws the possible ones")
    func rejected() {
        #expect(failure(size: 315, classOfService: false) == .tooSmall(minimum: 316))
        #expect(failure(size: 316, classOfService: true) == .tooSmall(minimum: 324))
        #expect(failure(size: .min, classOfService: false) == .tooSmall(minimum: 316))
        for size in 317...319 {
            #expect(failure(size: size, classOfService: false) == .cannotPad(nearestSmaller: 316, nearestLarger: 320))
        }
        #expect(failure(size: 327, classOfService: true) == .cannotPad(nearestSmaller: 324, nearestLarger: 328))
        #expect(failure(size: 65508, classOfService: false) == .tooLarge(maximum: 65507))
        #expect(failure(size: .max, classOfService: false) == .tooLarge(maximum: 65507))
    }

    @Test("The errors state the possible sizes")
    func descriptions() {
        #expect("\(ProbeLayoutError.tooSmall(minimum: 316))".contains("316"))
        #expect("\(ProbeLayoutError.cannotPad(nearestSmaller: 324, nearestLarger: 328))".contains("324 or 328"))
        #expect("\(ProbeLayoutError.tooLarge(maximum: 65507))".contains("65507"))
    }

    @Test("Nothing is written into a payload that is too short")
    func noRoom() throws {
        let layout = try ProbeLayout(size: nil, classOfService: false)
        let bytes = written(315) { span in !layout.writeFixedParts(into: &span, requestedDSCP: 0) }
        #expect(bytes.allSatisfy { $0 == 0xEE })
    }
}
