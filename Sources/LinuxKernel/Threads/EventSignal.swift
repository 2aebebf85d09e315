import CLinux
import Glibc

/// A level that one thread raises and a waiting one polls. Source: eventfd(2).
public struct EventSignal: ~Copyable, Sendable {
    public let descriptor: Descriptor

    public init() throws(SystemError) {
        descriptor = Descriptor(owning: try check("make an event descriptor", cl_eventfd()))
    }

    /// Raises the level. It stays up until ``clear()``.
    public func raise() {
        var one: UInt64 = 1
        _ = write(descriptor.rawValue, &one, MemoryLayout<UInt64>.size)
    }

    /// Takes the level down.
    public func clear() {
        var value: UInt64 = 0
        _ = read(descriptor.rawValue, &value, MemoryLayout<UInt64>.size)
    }
}
