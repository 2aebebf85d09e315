/// An error in a packet log, with its place and a remedy.
public enum PacketLogError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file has no header line.
    case noHeader
    /// The header lacks a required column.
    case missingColumn(String)
    /// The header names a column twice.
    case repeatedColumn(String)
    /// A row's number of fields differs from the header's.
    case fieldCount(line: Int, expected: Int, found: Int)
    /// A field has a value that its column does not allow.
    case field(line: Int, column: String, text: String, expected: String)
    /// A line is longer than any line of a packet log.
    case lineTooLong(line: Int, limit: Int)
    /// The last line has no line end: its writer was stopped.
    case cutLine(line: Int)

    /// The line of the error, counted from 1; nil for the header as a whole.
    public var line: Int? {
        switch self {
        case .noHeader, .missingColumn, .repeatedColumn: nil
        case .fieldCount(let line, _, _), .field(let line, _, _, _), .lineTooLong(let line, _), .cutLine(let line):
            line
        }
    }

    /// The error with its place and a remedy.
    public var description: String {
        switch self {
        case .noHeader:
            "the packet log is empty: use a file that a run with --log has written"
        case .missingColumn(let name):
            "line 1: the column \"\(name)\" is missing: use a packet log with its header line"
        case .repeatedColumn(let name):
            "line 1: the column \"\(name)\" is repeated: remove one of them"
        case .fieldCount(let line, let expected, let found):
            "line \(line): \(found) fields, but the header has \(expected): repair or remove the line"
        case .field(let line, let column, let text, let expected):
            "line \(line): \(column) is \"\(text)\", expected \(expected): repair or remove the line"
        case .lineTooLong(let line, let limit):
            "line \(line): longer than \(limit) bytes: this is not a packet log"
        case .cutLine(let line):
            "line \(line): truncated, without a line end: the rows before it are valid; remove it to read them"
        }
    }
}
