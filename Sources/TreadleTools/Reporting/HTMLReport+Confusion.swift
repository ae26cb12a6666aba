internal import TreadleModel
internal import TreadleRun

extension HTMLReport {
    /// Which classes were taken for which, where the model was measured; otherwise why it was not.
    var confusion: String {
        guard checkpoint.task == .classification else { return "" }
        guard let evaluated, let matrix = evaluated.evaluation.confusion, !matrix.isEmpty else {
            guard let note else { return "" }
            return section("Confusion matrix", "<p class=\"soft\">Left out: \(note.markup)</p>")
        }
        let rows = Figure.count(evaluated.evaluation.rows, "row")
        let set = ["test": "the test set", "valid": "the validation set"][evaluated.set] ?? "the data"
        let legend =
            "<p class=\"soft\">\(rows) of \(set): a line for each class as it is, a column for each answer.</p>"
        let body = matrix.count <= 24 ? grid(matrix) : picture(matrix)
        return section("Confusion matrix", legend + body + mistakes(matrix))
    }

    func className(_ index: Int) -> String {
        let name = checkpoint.classes.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? String(index)
        return name.count > 40 ? String(name.prefix(39)) + "…" : name
    }

    private func grid(_ matrix: [[Double]]) -> String {
        let heads = matrix.indices.map {
            "<th scope=\"col\" class=\"answer\"><span>\(className($0).markup)</span></th>"
        }
        let lines = matrix.enumerated().map { index, row -> String in
            let total = row.reduce(0, +)
            let cells = row.enumerated().map { answer, weight -> String in
                let share = total > 0 ? weight / total : 0
                let color = answer == index ? "26,133,86" : "214,96,16"
                // Enough to see one in a hundred, and never so much that the number is hard to read.
                let opacity = weight > 0 ? 0.06 + 0.6 * share.squareRoot() : 0
                let style = opacity > 0 ? " style=\"background:rgba(\(color),\(opacity.mark))\"" : ""
                return "<td class=\"n\"\(style)>\(weight == 0 ? "·" : Figure.digits(6, weight))</td>"
            }
            let recall = total > 0 ? Figure.digits(3, row[index] / total * 100) + " %" : "–"
            return "<tr><th scope=\"row\">\(className(index).markup)</th>\(cells.joined())"
                + "<td class=\"n soft\">\(recall)</td></tr>\n"
        }
        return HTMLPage.scroll(
            "Confusion matrix",
            "<table class=\"confusion\"><caption class=\"unseen\">Confusion matrix</caption><thead><tr>"
                + "<th scope=\"col\">\(HTMLPage.unseen("class, by answer"))</th>\(heads.joined())"
                + "<th scope=\"col\" class=\"answer\"><span>right</span></th></tr></thead>\n<tbody>\n\(lines.joined())"
                + "</tbody></table>")
    }

    /// Many classes: a picture, a pixel for each pair.
    private func picture(_ matrix: [[Double]]) -> String {
        let size = matrix.count
        let values = (0..<size).flatMap { row -> [Double] in
            let total = max(matrix[row].reduce(0, +), .leastNonzeroMagnitude)
            return (0..<size).map { ($0 == row ? -1 : 1) * (matrix[row][$0] / total).squareRoot() }
        }
        let image = PaletteImage(width: size, height: size, values: values)
        return "<p><img class=\"matrix\" src=\"\(image.dataLink)\" alt=\"confusion of \(matrix.count) classes\"/></p>"
    }

    /// The pairs that are confused most often.
    private func mistakes(_ matrix: [[Double]]) -> String {
        var pairs: [(actual: Int, answer: Int, weight: Double)] = []
        for (actual, row) in matrix.enumerated() {
            for (answer, weight) in row.enumerated() where answer != actual && weight > 0 {
                pairs.append((actual, answer, weight))
            }
        }
        let worst = pairs.sorted { a, b in
            (-a.weight, a.actual, a.answer) < (-b.weight, b.actual, b.answer)
        }.prefix(5)
        guard !worst.isEmpty else { return "<p>No row was mistaken.</p>" }
        let items = worst.map { pair in
            "\(className(pair.actual)) for \(className(pair.answer)) (\(Figure.digits(6, pair.weight)))".markup
        }
        return "<p>Most often mistaken: \(items.joined(separator: ", ")).</p>"
    }
}
