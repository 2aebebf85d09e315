/// The packet log: CSV with a header line and one row for each packet and direction.
///
/// An empty field means absent, never 0. Times are Int64 nanoseconds. Columns are read by name, and new ones are only
/// ever appended.
public enum PacketLog {
    /// The header line, without its line end.
    public static var header: String { PacketLogColumn.header }

    /// The columns' names in the order in which they are written.
    public static var columns: [String] { PacketLogColumn.all.map(\.name) }
}
