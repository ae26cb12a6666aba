internal import HDF5
internal import TreadleConfiguration
package import TreadleTools

/// What `treadle diff` prints, for people.
package struct DifferenceText {
    private let difference: ModelDifference
    private let paths: [String]
    private let unicode: Bool

    package init(_ difference: ModelDifference, paths: [String], unicode: Bool) {
        self.difference = difference
        self.paths = paths
        self.unicode = unicode
    }

    package var text: String {
        [answer, weights, metrics, settings, remarks].compactMap { $0 }.joined(separator: "\n")
    }

    private var answer: String {
        let names = "\(paths[0].printable) and \(paths[1].printable)"
        let what = difference.oldDigest == nil ? "numbers" : "weights"
        let exactness = difference.isRounded ? "in 32 bits" : "bit for bit"
        return difference.weightsDiffer
            ? "the \(what) of \(names) differ\n" : "the \(what) of \(names) are the same, \(exactness)\n"
    }

    private var weights: String? {
        let changes = difference.changes.filter { $0.changed > 0 }
        guard !changes.isEmpty else { return nil }
        let columns = ["norm before", "after", "of change", "largest", "at", "cosine", "changed"]
        var table = TextTable([.init("tensor")] + columns.map { .init($0, .right) })
        for change in changes {
            let total = change.shape.reduce(1, *)
            let share =
                change.changed == total ? "all" : "\(Figure.grouped(change.changed)) of \(Figure.grouped(total))"
            table.add([
                change.name.printable, Figure.short(change.oldNorm), Figure.short(change.newNorm),
                Figure.short(change.changeNorm), Figure.short(change.largest),
                "[\(change.place.map(String.init).joined(separator: ","))]",
                change.cosine.map { Figure.digits(6, $0) } ?? "-", share,
            ])
        }
        return table.text(indentation: 2)
    }

    private var metrics: String? {
        guard !difference.metrics.isEmpty else { return nil }
        var table = TextTable([
            .init("metric"), .init("before", .right), .init("after", .right), .init("change", .right),
        ])
        for metric in difference.metrics {
            var change = ""
            if let old = metric.old, let new = metric.new {
                change = (new > old ? "+" : "") + Figure.short(new - old)
            }
            table.add([
                metric.name.printable, metric.old.map(Figure.short) ?? "-", metric.new.map(Figure.short) ?? "-", change,
            ])
        }
        return table.text(indentation: 2)
    }

    private var settings: String? {
        guard !difference.settings.isEmpty else { return nil }
        let arrow = unicode ? "→" : "->"
        return difference.settings.map { setting in
            "  \(setting.key.printable): \((setting.old ?? "not set").printable) \(arrow) "
                + "\((setting.new ?? "not set").printable)\n"
        }.joined()
    }

    private var remarks: String? {
        guard !difference.remarks.isEmpty else { return nil }
        return difference.remarks.map { "  \($0.printable)\n" }.joined()
    }
}
