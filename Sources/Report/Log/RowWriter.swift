/// Formats records as rows of the packet log.
///
/// It keeps the peer's address as text, which the rows of one session have in common, so that a row costs no allocation.
public struct RowWriter: Sendable {
    private var peer: PeerAddress?
    private var peerText: [UInt8] = []

    /// A writer that has seen no record.
    public init() {}

    /// Appends the row of `record` with its line end.
    ///
    /// Allocates only when the array grows, and when the peer is another than the last record's: keep one array and empty
    /// it with `removeAll(keepingCapacity: true)`.
    public mutating func append(_ record: PacketRecord, to bytes: inout [UInt8]) {
        if record.peer != peer {
            peer = record.peer
            peerText = record.peer.map { Array($0.description.utf8) } ?? []
        }
        var record = record
        // Not a part of the writer, which is moved for each row.
        var row = Row(peerText: peerText)
        record.visitColumns(&row)
        row.endLine()
        row.append(to: &bytes)
    }
}

/// The bytes of one row: fields with a comma behind each.
private struct Row: PacketLogVisitor {
    /// Longer than any row (``PacketLogColumn/maximumRowBytes``).
    private var bytes = InlineArray<768, UInt8>(repeating: 0)
    private var length = 0
    private let peerText: [UInt8]

    init(peerText: [UInt8]) { self.peerText = peerText }

    /// Replaces the last comma.
    mutating func endLine() { bytes[length &- 1] = UInt8(ascii: "\n") }

    func append(to array: inout [UInt8]) {
        let start = array.count
        array.append(contentsOf: repeatElement(0, count: length))
        var target = array.mutableSpan
        let source = bytes.span
        // Both are as long as that; checked once instead of for each byte.
        precondition(length <= source.count && start &+ length <= target.count)
        for index in 0..<length { target[unchecked: start &+ index] = source[unchecked: index] }
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        bytes[length] = byte
        length &+= 1
    }

    @inline(__always)
    private mutating func endField() { put(UInt8(ascii: ",")) }

    private mutating func put(_ value: Int64) {
        if value < 0 { put(UInt8(ascii: "-")) }
        let start = length
        length = Self.write(value.magnitude, to: &bytes, at: start)
    }

    @inline(__always)
    private static func write(_ value: UInt64, to bytes: inout InlineArray<768, UInt8>, at position: Int) -> Int {
        var span = bytes.mutableSpan
        return writeDecimal(value, to: &span, at: position)
    }

    @inline(__always)
    private mutating func put(_ text: String) { for byte in text.utf8 { put(byte) } }

    @inline(__always)
    mutating func session(_ name: String, _ value: inout UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) {
            put(hexadecimalDigit(UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15))
        }
        endField()
    }

    @inline(__always)
    mutating func required<Value: FixedWidthInteger>(_ name: String, _ value: inout Value) {
        put(Int64(truncatingIfNeeded: value))
        endField()
    }

    @inline(__always)
    mutating func integer<Value: FixedWidthInteger>(_ name: String, _ value: inout Value?) {
        if let value { put(Int64(truncatingIfNeeded: value)) }
        endField()
    }

    @inline(__always)
    mutating func required<Label: LogLabel>(_ name: String, _ value: inout Label) {
        put(value.text)
        endField()
    }

    @inline(__always)
    mutating func label<Label: LogLabel>(_ name: String, _ value: inout Label?) {
        if let value { put(value.text) }
        endField()
    }

    mutating func peer(_ name: String, _ value: inout PeerAddress?) {
        for byte in peerText { put(byte) }
        endField()
    }

    @inline(__always)
    mutating func derived(_ name: String, _ value: Int64?) {
        if let value { put(value) }
        endField()
    }
}
