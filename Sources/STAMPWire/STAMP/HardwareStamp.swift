/// A NIC's timestamp of one packet, by its PHC and, if the PHC could be read together with the system clock, by
/// CLOCK_REALTIME; or the reason it is missing.
public struct HardwareStamp: Hashable, Sendable, BitwiseCopyable {
    /// PHC nanoseconds; nil: no timestamp.
    @CompactNanoseconds public var time: Int64?
    /// The timestamp in CLOCK_REALTIME Unix nanoseconds; nil: the PHC could not be read together with that clock.
    @CompactNanoseconds public var realtime: Int64?
    /// The largest error of ``realtime``, in nanoseconds; meaningless without it.
    public var error: UInt32
    /// The number in docs/stamp-tlv.md of the reason there is no timestamp; 0: it is present, or none was expected.
    public var missing: UInt8

    public init(time: Int64? = nil, realtime: Int64? = nil, error: UInt32 = 0, missing: UInt8 = 0) {
        self.time = time
        self.realtime = realtime
        self.error = error
        self.missing = missing
    }

    public static let none = HardwareStamp()

    /// The timestamp without ``realtime`` if that lies outside the time in which the packet can have passed the NIC. A
    /// stepped PHC converts to such times until its next reading.
    ///
    /// - Parameter span: in CLOCK_REALTIME Unix nanoseconds.
    public func plausible(in span: ClosedRange<Int64>) -> HardwareStamp {
        guard let realtime, realtime >= span.lowerBound &- Int64(error), realtime <= span.upperBound &+ Int64(error)
        else { return HardwareStamp(time: time, missing: missing) }
        return self
    }
}
