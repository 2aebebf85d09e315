/// An error in a histogram file, with its place and a remedy.
public enum HistogramExportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The first line is not the header of a histogram file.
    case header
    /// A line's number of fields differs from the header's.
    case fieldCount(line: Int)
    /// A field has a value that its column does not allow.
    case field(line: Int, column: String, text: String)
    /// The last line has no line end.
    case cutLine(line: Int)

    /// The error with its place and a remedy.
    public var description: String {
        switch self {
        case .header:
            "line 1: not the header of a histogram file: use a file that a run with --histogram has written"
        case .fieldCount(let line):
            "line \(line): not 8 fields: repair or remove the line"
        case .field(let line, let column, let text):
            "line \(line): \(column) cannot be \"\(text)\": repair or remove the line"
        case .cutLine(let line):
            "line \(line): truncated, without a line end: create the file again from its packet log"
        }
    }
}

extension HistogramExport {
    /// Adds the histograms of a file. Cumulative counts and percentiles are ignored, since they follow from the counts.
    ///
    /// - Throws: `HistogramExportError`; the export is then unchanged.
    public mutating func merge(csv bytes: [UInt8]) throws(HistogramExportError) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard let header = lines.first, header.elementsEqual(Self.header.utf8), lines.count > 1 else { throw .header }
        guard lines.removeLast().isEmpty else { throw .cutLine(line: lines.count + 1) }
        var read: [Key: [SignedHistogram.Bucket]] = [:]
        var order: [Key] = []
        for (index, line) in lines.enumerated().dropFirst() {
            let (key, bucket) = try Self.bucket(line, number: index + 1)
            if read[key] == nil { order.append(key) }
            read[key, default: []].append(bucket)
        }
        for key in order { add(read[key] ?? [], to: key) }
    }

    private static func bucket(
        _ line: ArraySlice<UInt8>, number: Int
    ) throws(HistogramExportError) -> (Key, SignedHistogram.Bucket) {
        let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard fields.count == 8 else { throw .fieldCount(line: number) }
        func wrong(_ column: String, _ index: Int) -> HistogramExportError {
            .field(line: number, column: column, text: quotable(fields[index]))
        }
        guard let session = parseSession(fields[0]) else { throw wrong("session", 0) }
        let name = String(decoding: fields[1], as: UTF8.self)
        let metric = HostPathStage.allCases.first { $0.text == name }?.metric ?? name
        guard isMetric(metric) else { throw wrong("metric", 1) }
        let packet: PacketKind?
        switch String(decoding: fields[2], as: UTF8.self) {
        case "forward": packet = .probe
        case "reverse": packet = .reply
        case "": packet = nil
        default: throw wrong("direction", 2)
        }
        guard let from: Int64 = parseDecimal(fields[3]) else { throw wrong("from_ns", 3) }
        guard let to: Int64 = parseDecimal(fields[4]), to >= from else { throw wrong("to_ns", 4) }
        guard let count: UInt64 = parseDecimal(fields[5]) else { throw wrong("count", 5) }
        return (
            Key(session: session, metric: metric, packet: packet),
            SignedHistogram.Bucket(from: from, to: to, count: count)
        )
    }

    private static func isMetric(_ text: String) -> Bool {
        if metrics.contains(text) { return true }
        // Only the form that is written is valid: "delay#01" would be a second histogram of "delay#1".
        let parts = text.split(separator: "#", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "delay", let epoch = UInt16(parts[1]), epoch > 0 else { return false }
        return parts[1] == String(epoch)
    }

    private static let metrics = Set(
        ["delay", "rtt", "ipdv"] + HostPathStage.allCases.map(\.metric) + SampleComparison.metrics)
}
