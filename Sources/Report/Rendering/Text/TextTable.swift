/// An aligned text table: labels are left-aligned and cells right-aligned, with a space between them even if a cell is
/// wider than its column.
struct TextTable {
    let labelWidth: Int
    let columnWidth: Int
    private(set) var lines: [String] = []

    init(labelWidth: Int, columnWidth: Int) {
        self.labelWidth = labelWidth
        self.columnWidth = columnWidth
    }

    mutating func add(_ label: String, _ cells: [String]) {
        lines.append(
            label.rightPadded(labelWidth) + cells.map { " " + $0.leftPadded(columnWidth - 1) }.joined())
    }
}

/// Wraps a line at spaces into lines of at most `width` characters. A longer word has its own line. Lines after the
/// first are indented by two more spaces.
package func wrapped(_ text: String, width: Int) -> [String] {
    guard text.count > width else { return [text] }
    let indent = String(repeating: " ", count: text.prefix { $0 == " " }.count)
    var lines: [String] = []
    var line = indent
    for word in text.split(separator: " ") {
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
