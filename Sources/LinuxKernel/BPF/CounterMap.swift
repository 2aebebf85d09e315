import CLinux

/// An eBPF map of 64-bit numbers. It lives as long as this owner or a program holds it. Source: BPF_MAP_TYPE_ARRAY.
public struct CounterMap: ~Copyable, Sendable {
    package let descriptor: Descriptor

    /// Creates a map of zeros.
    ///
    /// - Throws: ``SystemError``: EPERM without CAP_BPF, ENOSYS on a kernel without bpf(2).
    public init(count: Int) throws(SystemError) {
        descriptor = Descriptor(owning: try check("create an eBPF map", cl_bpf_array_create(UInt32(clamping: count))))
    }

    /// Reads the number at an index.
    public func value(at index: UInt32) throws(SystemError) -> UInt64 {
        var value: UInt64 = 0
        try check("read the eBPF map", cl_bpf_map_read(descriptor.rawValue, index, &value))
        return value
    }

    /// Replaces the number at an index.
    public func set(_ value: UInt64, at index: UInt32) throws(SystemError) {
        try check("write the eBPF map", cl_bpf_map_write(descriptor.rawValue, index, value))
    }
}
