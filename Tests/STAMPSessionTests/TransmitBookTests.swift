import Report
import STAMPWire
import Testing

@testable import STAMPSession

@Suite struct TransmitBookTests {
    private func hardware(_ book: TransmitBook) -> TimestampLedger.Kind { book.ledger.kinds[2] }

    @Test func `The book counts the reasons, and its sum stays the same`() {
        var book = TransmitBook(expecting: .hardware)
        var entries = (0..<6).map { _ in book.enter() }
        var reasons: [MissingReason] = [.inFlight, .inFlight, .never, .skippedByDriver, .skippedByDriver]
        for place in 0..<5 {
            let expected = reasons[0]
            let reason = book.writeOff(&entries[place], wasQueueFull: false) { reasons.removeFirst() }
            #expect(reason == expected)
        }
        #expect(hardware(book).inFlight == 2)
        #expect(hardware(book).never == 1)
        #expect(hardware(book).skippedByDriver == 2)
        #expect(hardware(book).pending == 1)
        #expect(hardware(book).sum == 6)
        // Timestamps that arrive after they were written off are no longer counted by their reason.
        for place in [0, 2, 3] { #expect(book.record(.hardware, of: &entries[place]) == .late) }
        #expect(hardware(book).late == 3)
        #expect([hardware(book).inFlight, hardware(book).never, hardware(book).skippedByDriver] == [1, 0, 1])
        #expect(hardware(book).sum == 6)
    }

    @Test func `The host explains only packets that lack nothing but the hardware timestamp`() {
        var book = TransmitBook(expecting: [.software, .hardware])
        var calls = 0
        func explain() -> MissingReason {
            calls += 1
            return .inFlight
        }
        var full = book.enter()
        _ = book.record(.software, of: &full)
        #expect(book.writeOff(&full, wasQueueFull: true, hardwareReason: explain) == .bufferFull)
        var nothing = book.enter()
        #expect(book.writeOff(&nothing, wasQueueFull: false, hardwareReason: explain) == .skippedByDriver)
        #expect(calls == 0)
        var hardwareOnly = book.enter()
        _ = book.record(.software, of: &hardwareOnly)
        #expect(book.writeOff(&hardwareOnly, wasQueueFull: false, hardwareReason: explain) == .inFlight)
        #expect(calls == 1)
        #expect(hardware(book).lostInBuffer == 1 && hardware(book).skippedByDriver == 1 && hardware(book).inFlight == 1)
    }
}

@Suite struct PlausibleStampTests {
    private static let start: Int64 = 1_800_000_000_000_000_000
    private static let now = HostTime(
        monotonic: 5, realtime: start + 2000, errorEstimate: ErrorEstimate(rawValue: 0))

    @Test func `A converted timestamp of a sent packet lies between the send call and now`() {
        let stamp = HardwareStamp(time: 7, realtime: Self.start, error: 40)
        #expect(stamp.plausible(sentAfter: Self.start - 1000, Self.now).realtime == Self.start)
        // A PHC that was set by five seconds and has not been read since.
        for step in [5_000_000_000, -5_000_000_000] as [Int64] {
            let stepped = HardwareStamp(time: 7, realtime: Self.start + step, error: 40)
            #expect(stepped.plausible(sentAfter: Self.start - 1000, Self.now) == HardwareStamp(time: 7))
        }
        #expect(stamp.plausible(sentAfter: Self.start + 40, Self.now).realtime == Self.start, "within its error")
        #expect(stamp.plausible(sentAfter: Self.start + 41, Self.now).realtime == nil)
    }
}
