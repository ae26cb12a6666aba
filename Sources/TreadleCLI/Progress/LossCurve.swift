internal import Foundation
package import TreadleRun
internal import TreadleTools

/// A run's loss over its epochs, drawn with characters: in dots of braille, or in ASCII.
package struct LossCurve: Sendable {
    package struct Series: Sendable {
        package let name: String
        /// Pairs of epoch and value; what is not finite, or so large that a difference may not be, is left out.
        package let points: [(epoch: Int, value: Double)]

        package init(name: String, points: [(epoch: Int, value: Double)]) {
            self.name = name
            self.points = points.filter { $0.value.magnitude < 1e300 }
        }
    }

    package let series: [Series]

    package init(series: [Series]) {
        self.series = series.filter { !$0.points.isEmpty }
    }

    /// The losses of a history: `loss`, and `valid.loss` where it was measured.
    package init(_ history: [EpochRecord]) {
        self.init(
            series: ["loss", "valid.loss"].map { name in
                Series(
                    name: name,
                    points: history.compactMap { record in record.metrics[name].map { (record.epoch, $0) } })
            })
    }

    /// The drawing, `rows` lines and one for the epochs, at most `width` wide, on a logarithmic scale where the values
    /// span more than one of twenty; nil where there is no curve: with
    /// fewer than two epochs, or no room.
    package func text(width: Int, rows: Int = 8, unicode: Bool) -> String? {
        let points = series.flatMap(\.points)
        guard let firstEpoch = points.map(\.epoch).min(), let lastEpoch = points.map(\.epoch).max(),
            let low = points.map(\.value).min(), let high = points.map(\.value).max(), firstEpoch < lastEpoch
        else { return nil }
        // A loss that falls far is a spike and a floor on a linear scale.
        let isLogarithmic = low > 0 && high / low >= 20
        let height = { (value: Double) in isLogarithmic ? log(value) : value }
        let scale = [high, low].map(Figure.steady)
        let margin = scale.map(\.count).max() ?? 0
        let names = series.map(\.name.count).max() ?? 0
        // Around the canvas: the axis, a space, and in ASCII the mark that tells the curves apart.
        let columns = min(64, width - margin - names - (unicode ? 3 : 5))
        guard columns >= 10 else { return nil }

        var canvas = Canvas(columns: columns, rows: rows, unicode: unicode)
        var labels = [String](repeating: "", count: rows)
        for (index, one) in series.enumerated() {
            var previous: (x: Double, y: Double)?
            for (epoch, value) in one.points {
                let x = (Double(epoch) - Double(firstEpoch)) / (Double(lastEpoch) - Double(firstEpoch))
                let y = high > low ? (height(high) - height(value)) / (height(high) - height(low)) : 0
                canvas.line(from: previous ?? (x, y), to: (x, y), mark: index == 0 ? "*" : "o")
                previous = (x, y)
            }
            // The name stands where its curve ends, or on the next free line.
            guard let end = previous else { continue }
            let wanted = min(rows - 1, Int(end.y * Double(rows)))
            let order = Array(wanted..<rows) + (0..<wanted).reversed()
            if let free = order.first(where: { labels[$0].isEmpty }) {
                labels[free] = unicode ? one.name : "\(index == 0 ? "*" : "o") \(one.name)"
            }
        }

        var text = ""
        for row in 0..<rows {
            let label = row == 0 ? scale[0] : row == rows - 1 && low < high ? scale[1] : ""
            let line =
                String(repeating: " ", count: margin - label.count) + label + (unicode ? " │" : " |")
                + canvas.line(row) + " " + labels[row]
            text += line.trimmingTrailingSpaces + "\n"
        }
        let end = String(lastEpoch)
        let start = "epoch \(firstEpoch)"
        let gap = String(repeating: " ", count: max(1, columns - start.count - end.count))
        text += String(repeating: " ", count: margin + 2) + start + gap + end + (isLogarithmic ? " log" : "") + "\n"
        return text
    }
}

/// A grid of characters; with braille, each has two by four dots.
private struct Canvas {
    private let columns: Int
    private let rows: Int
    private let unicode: Bool
    private var dots: [UInt8]
    private var marks: [Character?]

    init(columns: Int, rows: Int, unicode: Bool) {
        self.columns = columns
        self.rows = rows
        self.unicode = unicode
        dots = Array(repeating: 0, count: columns * rows)
        marks = Array(repeating: nil, count: columns * rows)
    }

    /// Draws between two places, each in shares of the width and the height.
    mutating func line(from a: (x: Double, y: Double), to b: (x: Double, y: Double), mark: Character) {
        let (dotColumns, dotRows) = unicode ? (columns * 2, rows * 4) : (columns, rows)
        let (lastX, lastY) = (Double(dotColumns - 1), Double(dotRows - 1))
        // Never further than one dot at a time, in either direction: the line has no gaps.
        let steps = Int(max(abs(b.x - a.x) * lastX, abs(b.y - a.y) * lastY).rounded(.up)) + 1
        for step in 0...steps {
            let t = Double(step) / Double(steps)
            put(
                Int(((a.x + (b.x - a.x) * t) * lastX).rounded()), Int(((a.y + (b.y - a.y) * t) * lastY).rounded()), mark
            )
        }
    }

    private mutating func put(_ x: Int, _ y: Int, _ mark: Character) {
        guard unicode else {
            marks[y * columns + x] = mark
            return
        }
        // The bits of U+2800's dots, by column and row.
        let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
        dots[y / 4 * columns + x / 2] |= bits[x % 2][y % 4]
    }

    func line(_ row: Int) -> String {
        String(
            (0..<columns).map { column -> Character in
                let index = row * columns + column
                guard unicode else { return marks[index] ?? " " }
                // A space where nothing is drawn: terminals show the empty braille cell in many ways.
                return dots[index] == 0 ? " " : Character(Unicode.Scalar(0x2800 + UInt32(dots[index])) ?? " ")
            })
    }
}
