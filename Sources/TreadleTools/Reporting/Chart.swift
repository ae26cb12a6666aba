internal import Foundation

/// Lines over a common axis, as SVG that follows the reader's light or dark theme.
package struct Chart: Sendable {
    package enum Stroke: String, Sendable {
        case solid, dashed, dotted
    }

    package struct Series: Sendable {
        package var name: String
        /// Ascending in x; what is not finite or beyond all measure is left out.
        package var points: [(x: Double, y: Double)]
        /// A number of `Palette`.
        package var color: Int
        package var stroke: Stroke

        package init(name: String, points: [(x: Double, y: Double)], color: Int, stroke: Stroke = .solid) {
            self.name = name
            self.points = points
            self.color = color
            self.stroke = stroke
        }
    }

    package var title: String
    package var xTitle: String
    package var series: [Series]
    package var isLogarithmic: Bool
    /// Whether x counts something: no tick between two whole numbers.
    package var xIsWhole: Bool
    /// Of a metric, which way is better; nil for other quantities.
    package var higherIsBetter: Bool?

    package init(
        title: String, xTitle: String, series: [Series], isLogarithmic: Bool = false, xIsWhole: Bool = true,
        higherIsBetter: Bool? = nil
    ) {
        self.higherIsBetter = higherIsBetter
        self.title = title
        self.xTitle = xTitle
        self.isLogarithmic = isLogarithmic
        self.xIsWhole = xIsWhole
        self.series = series.map { one in
            var one = one
            // Beyond a googol is no place on an axis.
            one.points.removeAll { point in
                !(abs(point.x) < 1e100) || !(abs(point.y) < 1e100) || (isLogarithmic && point.y <= 0)
            }
            return one
        }.filter { !$0.points.isEmpty }
    }

    /// The drawing within `width`×`height`, without the `svg` element around it; nil where there is nothing to draw.
    package func drawing(width: Double, height: Double) -> String? {
        Frame(self, width: width, height: height).map { drawing($0) }
    }

    private func drawing(_ frame: Frame) -> String {
        frame.title + frame.legend + frame.axes + series.map(frame.line).joined()
    }

    /// What the lines say, for those who cannot see them: of a metric the last value and the best, of other quantities
    /// both ends, the lowest and the highest.
    package var words: String {
        series.compactMap { series -> String? in
            let points = series.points
            guard let first = points.first, let last = points.last, let lowest = points.min(by: { $0.y < $1.y }),
                let highest = points.min(by: { $0.y > $1.y })
            else { return nil }
            func place(_ point: (x: Double, y: Double)) -> String {
                "\(Figure.short(point.y)) at \(xTitle) \(Figure.compact(point.x))"
            }
            guard points.count > 1 else { return "\(series.name): \(place(first))." }
            guard let higherIsBetter else {
                return "\(series.name): from \(place(first)) to \(place(last)), lowest \(place(lowest)), "
                    + "highest \(place(highest))."
            }
            return "\(series.name): last \(place(last)), best \(place(higherIsBetter ? highest : lowest))."
        }.joined(separator: " ")
    }

    /// A figure for an HTML page, whose title and legend are text of the page: it wraps, and keeps its size where the
    /// drawing becomes small.
    package func svg(width: Double = 380, height: Double = 215) -> String? {
        guard let frame = Frame(self, width: width, height: height, isBare: true) else { return nil }
        let keys = series.map { series in
            "<span><svg class=\"key\" aria-hidden=\"true\" viewBox=\"0 0 22 8\">\(frame.sample(series, x: 0, y: 4))</svg>"
                + "\(series.name.markup)</span>"
        }
        return "<figure class=\"plot\"><figcaption><b>\(title.markup)</b> \(keys.joined(separator: " "))</figcaption>"
            + "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 \(width.mark) \(height.mark)\">"
            + "<title>\(title.markup)</title><desc>\(words.markup)</desc>"
            + "\(frame.axes)\(series.map(frame.line).joined())</svg></figure>\n"
    }

    /// A file of its own with charts below one another, each about `height` high.
    package static func document(_ charts: [Chart], width: Double = 760, height: Double = 340) -> String {
        var total = 0.0
        var (stacked, titles, words) = ("", [String](), [String]())
        for chart in charts {
            guard let frame = Frame(chart, width: width, height: height) else { continue }
            stacked += "<g transform=\"translate(0,\(total.mark))\">\(chart.drawing(frame))</g>\n"
            total += frame.height
            titles.append(chart.title)
            words.append("\(chart.title): \(chart.words)")
        }
        total = max(total, height)
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" role="img" width="\(width.mark)" height="\(total.mark)" \
            viewBox="0 0 \(width.mark) \(total.mark)">
            <title>\(titles.joined(separator: ", ").markup)</title>
            <desc>\(words.joined(separator: " ").markup)</desc>
            <style>
            svg { --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --rule: #d8dee4; }
            @media (prefers-color-scheme: dark) { svg { --page: #14171b; --ink: #e6e9ed; --soft: #9aa4af; --rule: #343a42; } }
            \(Palette.style)
            </style>
            <rect width="100%" height="100%" fill="var(--page)"/>
            \(stacked)</svg>

            """
    }
}

/// The colours of lines and what else charts need of a style sheet; the page sets --ink, --soft and --rule.
package enum Palette {
    private static let light = [
        "#1f6fd0", "#c8640a", "#1a8556", "#8250df", "#c93434", "#0c7f8f", "#8a5a2b", "#5f6b7a",
    ]
    private static let dark = [
        "#6cb0ff", "#ffab57", "#58cf94", "#bf9bff", "#ff8585", "#4fd0df", "#d3a878", "#aab4c0",
    ]

    package static var style: String {
        func rules(_ colors: [String]) -> String {
            colors.enumerated().map { ".k\($0) { stroke: \($1); } .f\($0) { fill: \($1); }" }.joined(separator: " ")
        }
        return """
            .axis { font: 11px system-ui, sans-serif; fill: var(--soft); } .grid { stroke: var(--rule); stroke-width: 1; }
            .name { font: 12px system-ui, sans-serif; fill: var(--ink); }
            .head { font: 600 14px system-ui, sans-serif; fill: var(--ink); }
            .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
            .dashed { stroke-dasharray: 6 4; } .dotted { stroke-dasharray: 1 4; }
            \(rules(light))
            @media (prefers-color-scheme: dark) { \(rules(dark)) }
            """
    }

    static func stroke(_ index: Int) -> String { "k\(index % light.count)" }
    static func fill(_ index: Int) -> String { "f\(index % light.count)" }
}
