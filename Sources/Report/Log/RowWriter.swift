/// Formats records as rows of the packet log.
///
/// It keeps the text of what rows have in common: the peer's address, so that a row costs no allocation, and the
/// digits of the session and of the last time's second, since digits are what a row costs.
public struct RowWriter: Sendable {
    private var peer: PeerAddress?
    private var peerText: [UInt8] = []
    private var common = CommonDigits()

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
        var row = Row(peerText: peerText, common)
        record.visitColumns(&row)
        common = row.common
        row.endLine()
        row.append(to: &bytes)
    }
}

/// A number with its digits, for one that many rows share.
private struct Digits<let count: Int>: Sendable {
    private(set) var value: UInt64 = 0
    private(set) var bytes = InlineArray<count, UInt8>(repeating: UInt8(ascii: "0"))

    /// Takes another number, with leading zeros.
    mutating func update(_ value: UInt64, radix: UInt64) {
        self.value = value
        var rest = value
        for index in stride(from: count - 1, through: 0, by: -1) {
            bytes[index] = hexadecimalDigit(UInt8(truncatingIfNeeded: rest % radix))
            rest /= radix
        }
    }
}

/// The digits that rows have in common: the session's 16, and the ten of the last time's second.
private struct CommonDigits: Sendable {
    var session = Digits<16>()
    var second = Digits<10>()

    /// The first time whose second has ten digits, in nanoseconds since the Unix epoch: of 2001.
    static let firstTime: Int64 = 1_000_000_000_000_000_000
}

/// The bytes of one row: fields with a comma behind each.
private struct Row: PacketLogVisitor {
    /// Longer than any row (``PacketLogColumn/maximumRowBytes``).
    private var bytes = InlineArray<768, UInt8>(repeating: 0)
    private var length = 0
    private let peerText: [UInt8]
    private(set) var common: CommonDigits

    init(peerText: [UInt8], _ common: CommonDigits) {
        self.peerText = peerText
        self.common = common
    }

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
        if value >= CommonDigits.firstTime { return put(time: UInt64(value)) }
        if value < 0 { put(UInt8(ascii: "-")) }
        let start = length
        length = Self.write(value.magnitude, to: &bytes, at: start)
    }

    /// Writes a time of 19 digits: ten of its second, and nine.
    private mutating func put(time: UInt64) {
        let (seconds, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        if seconds != common.second.value { common.second.update(seconds, radix: 10) }
        for index in 0..<10 { bytes[length &+ index] = common.second.bytes[index] }
        var rest = UInt32(truncatingIfNeeded: nanoseconds)
        for index in stride(from: 18, through: 10, by: -1) {
            let quotient = rest / 10
            bytes[length &+ index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
            rest = quotient
        }
        length &+= 19
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
        if value != common.session.value { common.session.update(value, radix: 16) }
        for index in 0..<16 { bytes[length &+ index] = common.session.bytes[index] }
        length &+= 16
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
