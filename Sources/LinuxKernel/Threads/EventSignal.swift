import CLinux
import Glibc

/// A level-triggered signal that one thread raises and another polls. Source: eventfd(2).
public struct EventSignal: ~Copyable, Sendable {
    public let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try check("create an event descriptor", cl_eventfd()))
    }

    /// Raises the signal. It stays raised until ``clear()``.
    public func raise() {
        var one: UInt64 = 1
        _ = write(descriptor.rawValue, &one, MemoryLayout<UInt64>.size)
    }

    /// Clears the signal.
    public func clear() {
        var value: UInt64 = 0
        _ = read(descriptor.rawValue, &value, MemoryLayout<UInt64>.size)
    }
}
