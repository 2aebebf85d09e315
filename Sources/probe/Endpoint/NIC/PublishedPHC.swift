import HostClocks
import LinuxKernel
import Report
import STAMPWire
import Synchronization

/// How the PHC runs beside CLOCK_REALTIME, told by the thread that reads it to those that convert timestamps.
final class PublishedPHC: Sendable {
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
    func update(since seen: UInt64) -> (version: UInt64, model: ClockModel?)? {
        let current = version.load(ordering: .acquiring)
        return current == seen ? nil : (current, model.withLock { $0 })
    }
}

/// One packet thread's view of the PHC.
struct PHCView {
    private let clock: PublishedPHC?
    private var version: UInt64 = 0
    private var model: ClockModel?
    /// Nothing published earlier is believed.
    private var firstTrusted: UInt64 = 0

    init(_ clock: PublishedPHC?) {
        self.clock = clock
        refresh()
    }

    /// Takes up what is new; without a lock where nothing is.
    mutating func refresh() {
        guard let update = clock?.update(since: version) else { return }
        (version, model) = update
        if version < firstTrusted { model = nil }
    }

    /// CLOCK_REALTIME was set: what is known of the PHC beside it is wrong until it is read anew. A reading from
    /// before may still be published.
    mutating func forget() {
        guard let clock else { return }
        firstTrusted = clock.published &+ 2
        model = nil
    }

    /// The NIC's timestamp of a received packet, or why there is none.
    ///
    /// - Parameters:
    ///   - kernel: when the kernel had it, CLOCK_REALTIME nanoseconds.
    ///   - counts: what the NIC has done for the thread's packets so far, brought up to date.
    func received(_ time: Int64?, before kernel: Int64, _ receipts: ReceiveStamping, _ counts: inout ReceiveStampCounts)
        -> HardwareStamp
    {
        if let time, receipts != .none {
            counts.stamped &+= 1
            return stamp(time, in: (kernel &- Self.longestReceiveDelay)...kernel)
        }
        let reason: MissingReason? =
            switch receipts {
            case .none: nil
            case .onlyPTP: .onlyPTP
            case .notAsked: .notAsked
            case .expected: counts.stamped > 0 ? .skippedByDriver : .never
            }
        if reason != nil { counts.missing &+= 1 }
        return HardwareStamp(missing: reason?.wireCode ?? 0)
    }

    /// A NIC's timestamp, converted where the result can be.
    ///
    /// - Parameter span: when it must have been taken, in CLOCK_REALTIME nanoseconds. A PHC that was set is known as
    ///   such at its next reading: until then a timestamp outside of the span is what tells.
    func stamp(_ time: Int64, in span: ClosedRange<Int64>) -> HardwareStamp {
        let stamp = stamp(time)
        guard let realtime = stamp.realtime, realtime >= span.lowerBound &- Int64(stamp.error),
            realtime <= span.upperBound &+ Int64(stamp.error)
        else { return HardwareStamp(time: time) }
        return stamp
    }

    /// A NIC's timestamp, with its time by CLOCK_REALTIME where the PHC is known.
    func stamp(_ time: Int64) -> HardwareStamp {
        guard let converted = model?.realtime(ofHardware: time), let error = UInt32(exactly: converted.error) else {
            return HardwareStamp(time: time)
        }
        return HardwareStamp(time: time, realtime: converted.time, error: error)
    }

    /// A timestamp of a packet on its way out: after the program had it, and before now.
    ///
    /// - Parameter app: when the program called the kernel, CLOCK_REALTIME nanoseconds.
    func sent(_ time: Int64, after app: Int64?) -> HardwareStamp {
        let now = ClockID.realtime.now()
        return stamp(time, in: min(app ?? now, now)...now)
    }

    /// How long a NIC may keep a received packet, in nanoseconds: drivers that collect interrupts do it for milliseconds.
    private static let longestReceiveDelay: Int64 = 100_000_000
}
