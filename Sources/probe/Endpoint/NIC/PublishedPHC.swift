import HostClocks
import LinuxKernel
import Report
import STAMPSession
import STAMPWire
import Synchronization

/// The relation of the PHC to CLOCK_REALTIME. The thread that reads the PHC publishes it; the threads that convert
/// timestamps read it.
final class PublishedPHC: Sendable {
    private let model: Mutex<ClockModel?>
    private let version = Atomic<UInt64>(1)

    init(_ model: ClockModel? = nil) { self.model = Mutex(model) }

    /// Publishes a new model; `nil` directly after a clock step.
    func publish(_ model: ClockModel?) {
        self.model.withLock { $0 = model }
        version.add(1, ordering: .releasing)
    }

    /// The version of the latest model, which counts up with each.
    var published: UInt64 { version.load(ordering: .acquiring) }

    /// The latest model; `nil` if the caller has it already.
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
    /// The first version to trust; earlier ones were read before a clock step.
    private var firstTrusted: UInt64 = 0

    init(_ clock: PublishedPHC?) {
        self.clock = clock
        refresh()
    }

    /// Updates the view to the latest model. It takes no lock if there is no newer one.
    mutating func refresh() {
        guard let update = clock?.update(since: version) else { return }
        (version, model) = update
        if version < firstTrusted { model = nil }
    }

    /// Discards the model after a step of CLOCK_REALTIME, until a later reading is published. One reading from before
    /// the step may still be published, and is ignored.
    mutating func forget() {
        guard let clock else { return }
        firstTrusted = clock.published &+ 2
        model = nil
    }

    /// The hardware timestamp of a received packet, or the reason why it is missing.
    ///
    /// - Parameters:
    ///   - kernel: the kernel receive timestamp, in CLOCK_REALTIME nanoseconds.
    ///   - counts: the thread's counts of hardware receive timestamps, which are updated.
    func received(_ time: Int64?, before kernel: Int64, _ receipts: ReceiveStamping, _ counts: inout ReceiveStampCounts)
        -> HardwareStamp
    {
        if let time, receipts != .none {
            counts.stamped &+= 1
            return stamp(time).plausible(in: (kernel &- Self.longestReceiveDelay)...kernel)
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

    /// A hardware timestamp, with its CLOCK_REALTIME time if the PHC's relation to it is known.
    func stamp(_ time: Int64) -> HardwareStamp {
        guard let converted = model?.realtime(ofHardware: time), let error = UInt32(exactly: converted.error) else {
            return HardwareStamp(time: time)
        }
        return HardwareStamp(time: time, realtime: converted.time, error: error)
    }

    /// The longest time that a NIC holds a received packet, in nanoseconds. Interrupt coalescing holds it for
    /// milliseconds.
    private static let longestReceiveDelay: Int64 = 100_000_000
}
