/// Storage of optional nanoseconds in eight bytes, where an Optional takes sixteen: a session keeps a dozen of them for
/// each packet in flight. `Int64.min`, which no clock shows, stands for an absent time.
@propertyWrapper @frozen
public struct CompactNanoseconds: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline var stored: Int64

    @inlinable
    public init(wrappedValue: Int64?) { stored = wrappedValue ?? .min }

    @inlinable
    public var wrappedValue: Int64? {
        get { stored == .min ? nil : stored }
        set { stored = newValue ?? .min }
    }
}
