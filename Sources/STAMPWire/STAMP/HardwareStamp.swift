/// A network card's stamp of one packet: by the card's own clock and, where that one was being read beside the system's,
/// by the system's; or why there is none.
public struct CardStamp: Hashable, Sendable, BitwiseCopyable {
    /// Nanoseconds of the card's own clock; nil: there is no stamp.
    public var time: Int64?
    /// The stamp as Unix nanoseconds of CLOCK_REALTIME; nil: the card's clock could not be read beside it.
    public var realtime: Int64?
    /// How far off ``realtime`` can be at most, in nanoseconds; nothing without it.
    public var error: UInt32
    /// Why there is no stamp, as docs/stamp-tlv.md numbers the reasons; 0: it is there, or was not to be expected.
    public var missing: UInt8

    public init(time: Int64? = nil, realtime: Int64? = nil, error: UInt32 = 0, missing: UInt8 = 0) {
        self.time = time
        self.realtime = realtime
        self.error = error
        self.missing = missing
    }

    public static let none = CardStamp()
}
