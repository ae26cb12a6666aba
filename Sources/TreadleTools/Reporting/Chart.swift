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

    package init(
        title: String, xTitle: String, series: [Series], isLogarithmic: Bool = false, xIsWhole: Bool = true
    ) {
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
        guard let frame = Frame(self, width: width, height: height) else { return nil }
        return frame.title + frame.legend + frame.axes + series.map(frame.line).joined()
    }

    /// A figure for an HTML page.
    package func svg(width: Double = 380, height: Double = 250) -> String? {
        drawing(width: width, height: height).map { drawing in
            "<svg class=\"chart\" role=\"img\" aria-label=\"\(title.markup)\" viewBox=\"0 0 \(width.mark) "
                + "\(height.mark)\">\(drawing)</svg>\n"
        }
    }

    /// A file of its own with charts below one another.
    package static func document(_ charts: [Chart], width: Double = 760, height: Double = 340) -> String {
        let drawings = charts.compactMap { $0.drawing(width: width, height: height) }
        let total = max(1, Double(drawings.count)) * height
        let stacked = drawings.enumerated().map { index, drawing in
            "<g transform=\"translate(0,\((Double(index) * height).mark))\">\(drawing)</g>\n"
        }
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width.mark)" height="\(total.mark)" \
            viewBox="0 0 \(width.mark) \(total.mark)">
            <style>
            svg { --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --rule: #d8dee4; }
            @media (prefers-color-scheme: dark) { svg { --page: #14171b; --ink: #e6e9ed; --soft: #9aa4af; --rule: #343a42; } }
            \(Palette.style)
            </style>
            <rect width="100%" height="100%" fill="var(--page)"/>
            \(stacked.joined())</svg>

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
