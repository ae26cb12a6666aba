/// Rows in aligned columns, for people: text to the left, numbers to the right, two spaces between.
struct TextTable {
    enum Alignment: Sendable {
        case left, right
    }

    struct Column: Sendable {
        let title: String
        let alignment: Alignment

        init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row of as many cells as there are columns.
    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has a cell for every column")
        rows.append(cells)
    }

    /// The table; the titles' line is left out where all titles are empty.
    func text(indentation: Int = 0) -> String {
        let hasTitles = columns.contains { !$0.title.isEmpty }
        let lines = (hasTitles ? [columns.map(\.title)] : []) + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line(cells: $0, widths: widths, indentation: indentation) + "\n" }.joined()
    }

    private func line(cells: [String], widths: [Int], indentation: Int) -> String {
        var line = String(repeating: " ", count: indentation)
        for (index, cell) in cells.enumerated() {
            let gap = String(repeating: " ", count: widths[index] - cell.count)
            let isLast = index == cells.count - 1
            switch columns[index].alignment {
            case .left: line += cell + (isLast ? "" : gap)
            case .right: line += gap + cell
            }
            if !isLast { line += "  " }
        }
        return line
    }
}

extension String {
    /// Without the spaces at its end, which terminals do not show and copied text should not have.
    var trimmingTrailingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
