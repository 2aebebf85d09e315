/// Checked big-endian writes. Each returns false and writes nothing if the value does not fit at the offset.
extension MutableRawSpan {
    @inline(__always)
    func holds(_ size: Int, at offset: Int) -> Bool {
        size >= 0 && offset >= 0 && offset <= byteCount - size
    }

    @inline(__always)
    private mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) -> Bool {
        guard holds(MemoryLayout<T>.size, at: offset) else { return false }
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
        return true
    }

    @inline(__always) @discardableResult
    mutating func store8(_ value: UInt8, at offset: Int) -> Bool { store(value, at: offset) }
    @inline(__always) @discardableResult
    mutating func store16(_ value: UInt16, at offset: Int) -> Bool { store(value, at: offset) }
    @inline(__always) @discardableResult
    mutating func store32(_ value: UInt32, at offset: Int) -> Bool { store(value, at: offset) }
    @inline(__always) @discardableResult
    mutating func store64(_ value: UInt64, at offset: Int) -> Bool { store(value, at: offset) }
    @inline(__always) @discardableResult
    mutating func store64(_ value: Int64, at offset: Int) -> Bool { store(value, at: offset) }

    @inline(__always) @discardableResult
    mutating func store48(_ value: UInt64, at offset: Int) -> Bool {
        guard holds(6, at: offset) else { return false }
        return store16(UInt16(truncatingIfNeeded: value >> 32), at: offset)
            && store32(UInt32(truncatingIfNeeded: value), at: offset + 2)
    }

    @inline(__always) @discardableResult
    mutating func store128(_ value: UInt128, at offset: Int) -> Bool {
        guard holds(16, at: offset) else { return false }
        return store64(UInt64(truncatingIfNeeded: value >> 64), at: offset)
            && store64(UInt64(truncatingIfNeeded: value), at: offset + 8)
    }

    /// Zeroes `range`. Returns false and writes nothing if the span does not contain it.
    @discardableResult
    mutating func zero(_ range: Range<Int>) -> Bool {
        guard holds(range.count, at: range.lowerBound) else { return false }
        withUnsafeMutableBytes { bytes in
            for index in range { bytes[index] = 0 }
        }
        return true
    }

    /// Copies `range` of `source` to the same offsets. Returns false and writes nothing if either span lacks them.
    @discardableResult
    mutating func copy(_ range: Range<Int>, from source: RawSpan) -> Bool {
        guard holds(range.count, at: range.lowerBound), range.upperBound <= source.byteCount else { return false }
        source.withUnsafeBytes { from in
            withUnsafeMutableBytes { to in
                UnsafeMutableRawBufferPointer(rebasing: to[range])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: from[range]))
            }
        }
        return true
    }
}
