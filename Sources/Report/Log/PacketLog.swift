/// The packet log: CSV with a header line and one row for each packet and direction.
///
/// An empty field means absent, never 0. Times are Int64 nanoseconds. Columns are read by name, and new ones are only
/// ever appended.
public enum PacketLog {
    /// The header line, without its line end.
    public static let header =
        "session,packet,seq,reply_seq,direction,bytes,status,tx_app_ns,tx_sched_ns,tx_sw_ns,tx_hw_ns,rx_hw_ns,"
        + "rx_sw_ns,rx_app_ns,delay_ns,delay_error_ns,delay_clock,tx_stamp,tx_missing,rx_stamp,rx_missing,ttl,dscp,"
        + "tx_hw_realtime_ns,tx_hw_error_ns,rx_hw_realtime_ns,rx_hw_error_ns,clock_epoch,"
        + "sample_ns,sample_latency_ns,sample_order"

    /// Appends the row of `record` with its line end.
    ///
    /// Allocates only when the array grows: keep one array and empty it with `removeAll(keepingCapacity: true)`.
    public static func appendRow(_ record: PacketRecord, to bytes: inout [UInt8]) {
        let start = bytes.count
        // Room for the longest row first, then writes by index: a single growth check for the whole row.
        bytes.append(contentsOf: repeatElement(0, count: longestRow))
        var span = bytes.mutableSpan
        var row = RowWriter(position: start)
        row.write(record, to: &span)
        bytes.removeLast(start + longestRow - row.position)
    }

    /// No row is longer: 15 times of up to 20 characters, labels of 74 in all, a session of 16, smaller numbers of 42,
    /// and 31 commas and line end make 463 at the most.
    private static let longestRow = 480
}
