/// A NIC's timestamp of one packet: by the PHC and, where that one was being read beside the system's,
/// by the system's; or why there is none.
public struct HardwareStamp: Hashable, Sendable, BitwiseCopyable {
    /// Nanoseconds of the PHC; nil: there is no timestamp.
    public var time: Int64?
    /// The timestamp as Unix nanoseconds of CLOCK_REALTIME; nil: the PHC could not be read beside it.
    public var realtime: Int64?
    /// How far off ``realtime`` can be at most, in nanoseconds; nothing without it.
    public var error: UInt32
    /// Why there is no timestamp, as docs/stamp-tlv.md numbers the reasons; 0: it is there, or was not to be expected.
    public var missing: UInt8

    public init(time: Int64? = nil, realtime: Int64? = nil, error: UInt32 = 0, missing: UInt8 = 0) {
        self.time = time
        self.realtime = realtime
        self.error = error
        self.missing = missing
    }

    public static let none = HardwareStamp()
}
