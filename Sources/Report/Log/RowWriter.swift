/// Formats records as rows of the packet log.
///
/// It caches the text of the peer's address, which a session's rows share, so that a row costs no allocation.
public struct RowWriter: Sendable {
    private let columns = PacketLogColumn.all
    private let maximumRowBytes = PacketLogColumn.maximumRowBytes
    private var peer: PeerAddress?
    private var peerText: [UInt8] = []
    /// The index of the next byte.
    private var position = 0

    /// Creates a writer.
    public init() {}

    /// Appends the row of `record` with its line end.
    ///
    /// Allocates only if the array grows or the peer differs from the last record's: keep one array, and empty it with
    /// `removeAll(keepingCapacity: true)`.
    public mutating func append(_ record: PacketRecord, to bytes: inout [UInt8]) {
        if record.peer != peer {
            peer = record.peer
            peerText = record.peer.map { Array($0.description.utf8) } ?? []
        }
        let start = bytes.count
        // Reserving the longest row and writing by index needs a single growth check per row.
        bytes.append(contentsOf: repeatElement(0, count: maximumRowBytes))
        var span = bytes.mutableSpan
        position = start
        for column in columns {
            write(column.field, of: record, to: &span)
            put(UInt8(ascii: ","), to: &span)
        }
        span[position &- 1] = UInt8(ascii: "\n")
        bytes.removeLast(start + maximumRowBytes - position)
    }

    @inline(__always)
    private mutating func write(
        _ field: PacketLogColumn.Field, of record: PacketRecord, to out: inout MutableSpan<UInt8>
    ) {
        switch field {
        case .integer(_, let read, _): write(read(record), to: &out)
        case .label(_, let read, _):
            guard let text = read(record) else { return }
            for byte in text.utf8 { put(byte, to: &out) }
        case .stage(let stage): write(record[stage], to: &out)
        case .session:
            for shift in stride(from: 60, through: 0, by: -4) {
                put(hexadecimalDigit(UInt8(truncatingIfNeeded: record.session >> UInt64(shift)) & 15), to: &out)
            }
        case .peer: for byte in peerText { put(byte, to: &out) }
        }
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8, to out: inout MutableSpan<UInt8>) {
        out[position] = byte
        position &+= 1
    }

    @inline(__always)
    private mutating func write(_ value: Int64?, to out: inout MutableSpan<UInt8>) {
        guard let value else { return }
        if value < 0 { put(UInt8(ascii: "-"), to: &out) }
        position = writeDecimal(value.magnitude, to: &out, at: position)
    }
}
