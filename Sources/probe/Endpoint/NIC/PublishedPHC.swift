import HostClocks
import LinuxKernel
import Report
import STAMPWire
import Synchronization

/// How the card's clock runs beside CLOCK_REALTIME, told by the thread that reads it to those that convert stamps.
final class CardClock: Sendable {
    private let model: Mutex<ClockModel?>
    private let version = Atomic<UInt64>(1)

    init(_ model: ClockModel? = nil) { self.model = Mutex(model) }

    /// What is known from now on; `nil` directly after a step.
    func publish(_ model: ClockModel?) {
        self.model.withLock { $0 = model }
        version.add(1, ordering: .releasing)
    }

    /// How often something was published.
    var published: UInt64 { version.load(ordering: .acquiring) }

    /// What is known, where it is newer than what the caller has.
    func news(since seen: UInt64) -> (version: UInt64, model: ClockModel?)? {
        let current = version.load(ordering: .acquiring)
        return current == seen ? nil : (current, model.withLock { $0 })
    }
}

/// One packet thread's view of the card's clock.
struct CardTime {
    private let clock: CardClock?
    private var version: UInt64 = 0
    private var model: ClockModel?
    /// Nothing published earlier is believed.
    private var firstTrusted: UInt64 = 0

    init(_ clock: CardClock?) {
        self.clock = clock
        refresh()
    }

    /// Takes up what is new; without a lock where nothing is.
    mutating func refresh() {
        guard let news = clock?.news(since: version) else { return }
        (version, model) = news
        if version < firstTrusted { model = nil }
    }

    /// CLOCK_REALTIME was set: what is known of the card's clock beside it is wrong until it is read anew. A reading from
    /// before may still be published.
    mutating func forget() {
        guard let clock else { return }
        firstTrusted = clock.published &+ 2
        model = nil
    }

    /// The card's stamp of a received packet, or why there is none.
    ///
    /// - Parameters:
    ///   - kernel: when the kernel had it, CLOCK_REALTIME nanoseconds.
    ///   - counts: what the card has done for the thread's packets so far, brought up to date.
    func received(_ time: Int64?, before kernel: Int64, _ receipts: CardReceipts, _ counts: inout CardReceiptCounts)
        -> CardStamp
    {
        if let time, receipts != .none {
            counts.stamped &+= 1
            return stamp(time, in: (kernel &- Self.longestHold)...kernel)
        }
        let reason: MissingReason? =
            switch receipts {
            case .none: nil
            case .onlyPTP: .onlyPTP
            case .notAsked: .notAsked
            case .expected: counts.stamped > 0 ? .skippedByDriver : .never
            }
        if reason != nil { counts.missing &+= 1 }
        return CardStamp(missing: reason?.wireCode ?? 0)
    }

    /// A card's stamp, converted where the result can be.
    ///
    /// - Parameter span: when it must have been taken, in CLOCK_REALTIME nanoseconds. A card's clock that was set is known as
    ///   such at its next reading: until then a stamp outside of the span is what tells.
    func stamp(_ time: Int64, in span: ClosedRange<Int64>) -> CardStamp {
        let stamp = stamp(time)
        guard let realtime = stamp.realtime, realtime >= span.lowerBound &- Int64(stamp.error),
            realtime <= span.upperBound &+ Int64(stamp.error)
        else { return CardStamp(time: time) }
        return stamp
    }

    /// A card's stamp, with its time by CLOCK_REALTIME where the card's clock is known.
    func stamp(_ time: Int64) -> CardStamp {
        guard let converted = model?.realtime(ofHardware: time), let error = UInt32(exactly: converted.error) else {
            return CardStamp(time: time)
        }
        return CardStamp(time: time, realtime: converted.time, error: error)
    }

    /// A stamp of a packet on its way out: after the program had it, and before now.
    ///
    /// - Parameter app: when the program called the kernel, CLOCK_REALTIME nanoseconds.
    func sent(_ time: Int64, after app: Int64?) -> CardStamp {
        let now = ClockID.realtime.now()
        return stamp(time, in: min(app ?? now, now)...now)
    }

    /// How long a card may keep a received packet, in nanoseconds: drivers that collect interrupts do it for milliseconds.
    private static let longestHold: Int64 = 100_000_000
}
