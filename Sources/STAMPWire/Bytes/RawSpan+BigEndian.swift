/// Checked big-endian reads. An offset outside the span returns nil and never traps, so a decoder needs no length check
/// before each field.
extension RawSpan {
    @inline(__always)
    private func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
        guard offset >= 0, offset <= byteCount - MemoryLayout<T>.size else { return nil }
        return T(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    @inline(__always) package func u8(at offset: Int) -> UInt8? { load(UInt8.self, at: offset) }
    @inline(__always) func u16(at offset: Int) -> UInt16? { load(UInt16.self, at: offset) }
    @inline(__always) func u32(at offset: Int) -> UInt32? { load(UInt32.self, at: offset) }
    @inline(__always) func u64(at offset: Int) -> UInt64? { load(UInt64.self, at: offset) }
    @inline(__always) func i64(at offset: Int) -> Int64? { load(Int64.self, at: offset) }

    @inline(__always)
    func u48(at offset: Int) -> UInt64? {
        guard let high = u16(at: offset), let low = u32(at: offset &+ 2) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    @inline(__always)
    func u128(at offset: Int) -> UInt128? {
        guard let high = u64(at: offset), let low = u64(at: offset &+ 8) else { return nil }
        return UInt128(high) << 64 | UInt128(low)
    }
}
