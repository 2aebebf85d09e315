/// An aligned text table: labels are left-aligned and cells right-aligned, with a space between them even if a cell is
/// wider than its column.
struct TextTable {
    private static let labelWidth = 20
    private static let columnWidth = 10

    private(set) var lines: [String] = []

    mutating func add(_ label: String, _ cells: [String]) {
        lines.append(
            label.rightPadded(Self.labelWidth) + cells.map { " " + $0.leftPadded(Self.columnWidth - 1) }.joined())
    }

    /// Returns a row for each histogram that has values, with as many of its figures as fit the width; empty without any.
    static func distributions(_ rows: [(label: String, histogram: SignedHistogram)], width: Int) -> [String] {
        let rows = rows.compactMap { row in HistogramSummary(row.histogram).map { (label: row.label, summary: $0) } }
        guard !rows.isEmpty else { return [] }
        let shown = min(HistogramSummary.columns.count, (width - labelWidth) / columnWidth)
        var table = TextTable()
        table.add("", Array(HistogramSummary.columns.prefix(shown)))
        for (label, summary) in rows {
            table.add(label, summary.figures.prefix(shown).map { roundedDurationText($0.value) })
        }
        return table.lines
    }
}

/// Wraps a line at spaces into lines of at most `width` characters. A longer word has its own line. Lines after the
/// first are indented by two more spaces.
package func wrapped(_ text: String, width: Int) -> [String] {
    guard text.count > width else { return [text] }
    let indent = String(repeating: " ", count: text.prefix { $0 == " " }.count)
    var lines: [String] = []
    var line = indent
    for word in words(of: text) {
        if line.allSatisfy({ $0 == " " }) {
            line += word
        } else if line.count + 1 + word.count <= width {
            line += " " + word
        } else {
            lines.append(line)
            line = indent + "  " + word
        }
    }
    lines.append(line)
    return lines
}

/// The words of a line. What is in backticks, such as a command, is one word.
private func words(of text: String) -> [Substring] {
    var isQuoted = false
    return text.split { character in
        if character == "`" { isQuoted.toggle() }
        return character == " " && !isQuoted
    }
}
