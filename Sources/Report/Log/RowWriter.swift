/// Formats records as rows of the packet log.
///
/// It keeps the text of what rows have in common: the peer's address, and the digits of the session and of the last
/// time's second, since digits are what a row costs.
public struct RowWriter: Sendable {
    private var peer: PeerAddress?
    private var row = Row()

    /// A writer that has seen no record.
    public init() {}

    /// Appends the row of `record` with its line end.
    ///
    /// Allocates only when the array grows: keep one array and empty it with `removeAll(keepingCapacity: true)`.
    public mutating func append(_ record: PacketRecord, to bytes: inout [UInt8]) {
        if record.peer != peer {
            peer = record.peer
            row.common.peer = TextWords { write in record.peer?.writeText(write) }
        }
        var record = record
        row.begin()
        record.visitColumns(&row)
        row.endLine()
        row.append(to: &bytes)
    }
}

/// The text that rows have in common.
private struct CommonText: Sendable {
    var peer = TextWords("")
    /// A session and its 16 digits, the first in the lowest byte.
    var session: UInt64 = 0
    var sessionDigits: (UInt64, UInt64) = (0x3030_3030_3030_3030, 0x3030_3030_3030_3030)
    /// The second of the last time, and its ten digits, the first in the lowest byte.
    var second: UInt64 = 0
    var secondDigits: (UInt64, UInt64) = (0, 0)

    /// The first time whose second has ten digits, in nanoseconds since the Unix epoch: of 2001.
    static let firstTime: Int64 = 1_000_000_000_000_000_000

    mutating func update(session: UInt64) {
        self.session = session
        let digits = { (half: UInt64) in
            (0..<8).reduce(into: 0 as UInt64) { digits, index in
                let nibble = UInt8(truncatingIfNeeded: half >> UInt64(28 - 4 * index)) & 15
                digits |= UInt64(hexadecimalDigit(nibble)) << UInt64(8 * index)
            }
        }
        sessionDigits = (digits(session >> 32), digits(session))
    }

    mutating func update(second: UInt64) {
        self.second = second
        let (first, last) = second.quotientAndRemainder(dividingBy: 100)
        // The last two of eight.
        secondDigits = (
            eightDigits(UInt32(truncatingIfNeeded: first)), eightDigits(UInt32(truncatingIfNeeded: last)) >> 48
        )
    }
}

/// A text of at most 48 bytes as words of eight, the first byte in the lowest, which a row stores whole.
struct TextWords: Sendable {
    private(set) var words = InlineArray<6, UInt64>(repeating: 0)
    private(set) var count = 0

    /// Creates the words of the bytes that a function passes on: of the first 48, if there are more.
    init(_ writeText: ((UInt8) -> Void) -> Void) {
        var text = (words: words, count: 0)
        writeText { byte in
            guard text.count < 48 else { return }
            text.words[text.count / 8] |= UInt64(byte) << UInt64(8 * (text.count % 8))
            text.count += 1
        }
        (words, count) = text
    }

    init(_ text: String) { self.init { write in text.utf8.forEach(write) } }
}

/// The bytes of one row: fields with a comma behind each.
private struct Row: PacketLogVisitor, Sendable {
    /// Longer than any row (``PacketLogColumn/maximumRowBytes``) by more than a word, since words are stored whole.
    private var bytes = InlineArray<800, UInt8>(repeating: 0)
    private var length = 0
    var common = CommonText()

    mutating func begin() { length = 0 }

    /// Replaces the last comma.
    mutating func endLine() { bytes[length &- 1] = UInt8(ascii: "\n") }

    /// Mutating, since the compiler would pass a copy of the row.
    mutating func append(to array: inout [UInt8]) {
        let start = array.count
        array.append(contentsOf: repeatElement(0, count: length))
        var target = array.mutableSpan
        let source = bytes.span
        // Both are as long as that; checked once instead of for each byte.
        precondition(length <= source.count && start &+ length <= target.count)
        for index in 0..<length { target[unchecked: start &+ index] = source[unchecked: index] }
    }

    @inline(__always)
    private mutating func endField() {
        bytes[length] = UInt8(ascii: ",")
        length &+= 1
    }

    /// Writes the first bytes of a word. The next field overwrites the others.
    @inline(__always)
    private mutating func put(_ word: UInt64, count: Int) {
        var span = bytes.mutableSpan
        store(word, to: &span, at: length)
        length &+= count
    }

    @inline(__always)
    private mutating func put(_ text: TextWords) {
        var index = 0
        var rest = text.count
        while rest > 0 {
            put(text.words[index], count: min(8, rest))
            index &+= 1
            rest &-= 8
        }
    }

    private mutating func put(_ value: Int64) {
        if value >= CommonText.firstTime { return put(time: UInt64(value)) }
        if value < 0 { put(UInt64(UInt8(ascii: "-")), count: 1) }
        var span = bytes.mutableSpan
        length = writeDecimal(value.magnitude, to: &span, at: length)
    }

    /// Writes a time of 19 digits: ten of its second, and nine.
    private mutating func put(time: UInt64) {
        let (second, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        if second != common.second { common.update(second: second) }
        put(common.secondDigits.0, count: 8)
        put(common.secondDigits.1, count: 2)
        let (first, others) = UInt32(truncatingIfNeeded: nanoseconds).quotientAndRemainder(dividingBy: 100_000_000)
        put(UInt64(UInt8(ascii: "0")) &+ UInt64(first), count: 1)
        put(eightDigits(others), count: 8)
    }

    @inline(__always)
    private mutating func put<Label: LogLabel>(_ label: Label) { put(Label.words[Int(label.rawValue)]) }

    @inline(__always)
    mutating func session(_ name: String, _ value: inout UInt64) {
        if value != common.session { common.update(session: value) }
        put(common.sessionDigits.0, count: 8)
        put(common.sessionDigits.1, count: 8)
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
        put(value)
        endField()
    }

    @inline(__always)
    mutating func label<Label: LogLabel>(_ name: String, _ value: inout Label?) {
        if let value { put(value) }
        endField()
    }

    mutating func peer(_ name: String, _ value: inout PeerAddress?) {
        put(common.peer)
        endField()
    }

    @inline(__always)
    mutating func derived(_ name: String, _ value: Int64?) {
        if let value { put(value) }
        endField()
    }
}
