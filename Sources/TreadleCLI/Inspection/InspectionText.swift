internal import HDF5
internal import TreadleBase
internal import TreadleModel
internal import TreadleRun
package import TreadleTools

/// What `treadle inspect` prints of a checkpoint, for people.
package struct InspectionText {
    private let inspection: Inspection
    private let checkpoint: CheckpointHead
    private let width: Int
    private let unicode: Bool
    /// Marks headings; the text itself without a terminal.
    private let heading: (String) -> String

    package init(
        _ inspection: Inspection, width: Int, unicode: Bool, heading: @escaping (String) -> String = { $0 }
    ) {
        self.inspection = inspection
        checkpoint = inspection.checkpoint
        self.width = width
        self.unicode = unicode
        self.heading = heading
    }

    package var text: String {
        [summary, network, facts, curve, tensors, health].compactMap { $0 }.joined(separator: "\n")
    }

    private var times: String { unicode ? "×" : "x" }

    private var summary: String {
        let shape = checkpoint.network.shape(joint: unicode ? "–" : "-", times: times)
        let count = Figure.count(checkpoint.network.parameterCount, "parameter")
        return heading(inspection.path.printable) + ": \(checkpoint.task.rawValue), \(shape), \(count), "
            + "\(inspection.size.asBytes)\n"
    }

    // MARK: The network

    private var network: String {
        let dropsOut = checkpoint.network.layers.contains { $0.dropout > 0 }
        var table = TextTable(
            [.init("layer"), .init("shape", .right), .init("parameters", .right), .init("activation")]
                + (dropsOut ? [.init("dropout", .right)] : []))
        for layer in checkpoint.network.layers {
            table.add(
                [
                    layer.name.printable, "\(layer.inputs)\(times)\(layer.units)" + (layer.hasBias ? "" : ", no bias"),
                    Figure.grouped(layer.parameterCount),
                    layer.function,
                ] + (dropsOut ? [Figure.compact(layer.dropout)] : []))
        }
        return table.text(indentation: 2)
    }

    // MARK: Where it comes from

    private var facts: String {
        let facts = InspectionFacts(inspection).all
        let margin = (facts.map(\.name.count).max() ?? 0) + 4
        return facts.map { fact in
            let name = "  " + fact.name + String(repeating: " ", count: margin - 2 - fact.name.count)
            let lines = TextLayout.wrapped(fact.text, indentation: margin, width: max(60, width))
            return name + lines.dropFirst(margin)
        }.joined()
    }

    private var curve: String? {
        LossCurve(checkpoint.curve).text(width: width - 2, unicode: unicode).map { drawing in
            drawing.split(separator: "\n").map { "  \($0)\n" }.joined()
        }
    }

    // MARK: The numbers

    private var tensors: String {
        let columns = ["mean", "spread", "norm", "min", "max", "zeros", "NaN"]
        var table = TextTable([.init("tensor")] + columns.map { .init($0, .right) } + [.init("from min to max")])
        for tensor in inspection.parameters {
            let numbers = tensor.statistics
            let finite = [numbers.mean, numbers.spread, numbers.norm, numbers.minimum, numbers.maximum]
            table.add(
                [tensor.name.printable] + finite.map { numbers.finite > 0 ? Figure.digits(3, $0) : "-" } + [
                    Figure.grouped(numbers.zeros), Figure.grouped(numbers.nan + numbers.infinite),
                    Bars.text(numbers.histogram, columns: width < 100 ? 8 : 16, unicode: unicode),
                ])
        }
        return table.text(indentation: 2)
    }

    // MARK: What looks wrong

    private var health: String {
        guard !inspection.signs.isEmpty else { return "  Nothing looks sick.\n" }
        return inspection.signs.map { sign in
            let mark = sign.severity == .alarm ? "!!" : sign.severity == .warning ? "! " : "  "
            let meaning = TextLayout.wrapped(sign.meaning, indentation: 5, width: max(60, width))
            return "\(mark) \(heading(sign.finding))\n\(meaning)"
        }.joined()
    }
}

/// A histogram as one line of characters.
package enum Bars {
    package static func text(_ histogram: [Int], columns: Int, unicode: Bool) -> String {
        guard !histogram.isEmpty else { return "" }
        let levels = Array(unicode ? " ▁▂▃▄▅▆▇█" : " .:-=+*#@")
        let sums = (0..<columns).map { column in
            histogram[column * histogram.count / columns..<(column + 1) * histogram.count / columns].reduce(0, +)
        }
        let highest = sums.max() ?? 0
        return String(
            sums.map { count -> Character in
                // A bar that is not empty is seen.
                count == 0 ? levels[0] : levels[max(1, Int((8 * Double(count) / Double(highest)).rounded()))]
            })
    }
}
