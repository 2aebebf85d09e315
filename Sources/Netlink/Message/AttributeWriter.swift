import CLinux
import NetworkAddresses

/// Appends attributes to a growing buffer. The first error is kept, and nothing is written after it.
///
/// Source: netlink(7), Documentation/userspace-api/netlink/intro.rst of the kernel.
public struct AttributeWriter {
    public private(set) var bytes: [UInt8]
    public private(set) var error: NetlinkFormatError?

    /// Begins after `bytes`.
    public init(after bytes: [UInt8] = []) { self.bytes = bytes }

    /// Appends a C value and padding, for a family's fixed header.
    public mutating func appendFixed<Value: BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
        pad()
    }

    /// Overwrites the bytes at `offset` with a C value. Outside the written bytes this does nothing.
    public mutating func patch<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else { return }
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: Value.self) }
    }

    /// Appends an integer.
    public mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: UInt16, _ value: Value, order: ByteOrder = .host
    ) {
        let stored = order == .network ? value.bigEndian : value
        withUnsafeBytes(of: stored) { put(type, bytes: $0) }
    }

    /// Appends an address of 4 or 16 bytes, always in network byte order.
    public mutating func put(_ type: UInt16, _ address: IPAddress) {
        switch address {
        case .v4(let value): put(type, value, order: .network)
        case .v6(let value): put(type, value, order: .network)
        }
    }

    /// Appends a string and the terminating zero byte that the kernel's NLA_NUL_STRING requires.
    public mutating func put(_ type: UInt16, _ text: String) {
        put(type, bytes: Array(text.utf8) + [0])
    }

    /// Appends a flag: an attribute without a payload.
    public mutating func putFlag(_ type: UInt16) { put(type, bytes: EmptyCollection()) }

    /// Appends bytes unchanged. More than 65,531 bytes are recorded as an error.
    public mutating func put(_ type: UInt16, bytes payload: some Collection<UInt8>) {
        guard error == nil else { return }
        let length = payload.count + 4
        guard length <= Int(UInt16.max) else {
            error = .attributeTooLong(type: type, bytes: length)
            return
        }
        appendHeader(type, length: UInt16(truncatingIfNeeded: length))
        bytes.append(contentsOf: payload)
        pad()
    }

    /// Appends an attribute that contains the attributes that `body` writes.
    public mutating func putNested(_ type: UInt16, _ body: (inout AttributeWriter) -> Void) {
        guard error == nil else { return }
        let start = bytes.count
        appendHeader(type | UInt16(NLA_F_NESTED), length: 0)
        body(&self)
        let length = bytes.count - start
        guard error == nil else { return }
        guard length <= Int(UInt16.max) else {
            error = .attributeTooLong(type: type, bytes: length)
            return
        }
        patch(UInt16(truncatingIfNeeded: length), at: start)
    }

    private mutating func appendHeader(_ type: UInt16, length: UInt16) {
        withUnsafeBytes(of: length) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: type) { bytes.append(contentsOf: $0) }
    }

    private mutating func pad() {
        bytes.append(contentsOf: repeatElement(0, count: netlinkAligned(bytes.count) - bytes.count))
    }
}
