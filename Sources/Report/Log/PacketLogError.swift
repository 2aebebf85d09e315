/// What is wrong with a packet log, where, and what to do about it.
public enum PacketLogError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file has no header line.
    case noHeader
    /// The header lacks a column that a row cannot do without.
    case missingColumn(String)
    /// The header names a column twice.
    case repeatedColumn(String)
    /// A row has another number of fields than the header.
    case fieldCount(line: Int, expected: Int, found: Int)
    /// A field holds something else than its column allows.
    case field(line: Int, column: String, text: String, expected: String)
    /// A line is longer than any that a packet log has.
    case lineTooLong(line: Int, limit: Int)
    /// The last line has no line end: the writer was stopped within it.
    case cutLine(line: Int)

    /// The line that the error is in, counted from 1; nil for the header as a whole.
    public var line: Int? {
        switch self {
        case .noHeader, .missingColumn, .repeatedColumn: nil
        case .fieldCount(let line, _, _), .field(let line, _, _, _), .lineTooLong(let line, _), .cutLine(let line):
            line
        }
    }

    /// The error in a sentence, with what to do next.
    public var description: String {
        switch self {
        case .noHeader:
            "the packet log is empty: give a file that a run with --log wrote"
        case .missingColumn(let name):
            "line 1: there is no column \"\(name)\": give a packet log with its header line"
        case .repeatedColumn(let name):
            "line 1: the column \"\(name)\" is there twice: remove one of them"
        case .fieldCount(let line, let expected, let found):
            "line \(line): \(found) fields where the header has \(expected): repair or remove the line"
        case .field(let line, let column, let text, let expected):
            "line \(line): \(column) is \"\(text)\", expected \(expected): repair or remove the line"
        case .lineTooLong(let line, let limit):
            "line \(line): longer than \(limit) bytes: this is not a packet log"
        case .cutLine(let line):
            "line \(line): cut off without a line end: the rows before it are good; remove it to read the rest"
        }
    }
}
