internal import Foundation

extension Chart {
    /// Where things go: title and legend above, numbers to the left and below, lines in the middle.
    ///
    /// A bare one has neither title nor legend, and larger numbers.
    struct Frame {
        private let chart: Chart
        private let width: Double
        /// More than was asked for where the legend takes several lines: they take no room from the drawing.
        let height: Double
        private let xRange: (low: Double, high: Double)
        private let yRange: (low: Double, high: Double)
        private let xTicks: Ticks
        private let yTicks: Ticks
        private let left: Double
        private let top: Double
        private let bottom: Double
        private let legendPlaces: [(x: Double, y: Double)]

        private static let right = 16.0
        /// A character of 11 and 12 pixels is about this wide.
        private static let character = 6.6

        init?(_ chart: Chart, width: Double, height: Double, isBare: Bool = false) {
            let xs = chart.series.flatMap { $0.points.map(\.x) }
            let ys = chart.series.flatMap { $0.points.map(\.y) }
            guard let firstX = xs.min(), let lastX = xs.max(), let lowest = ys.min(), let highest = ys.max() else {
                return nil
            }
            self.chart = chart
            self.width = width
            // A single point, or a flat line, gets room to both sides.
            xRange = lastX - firstX > abs(lastX) * 1e-12 ? (firstX, lastX) : (firstX - 1, lastX + 1)
            let isFlat = highest - lowest <= max(abs(highest), abs(lowest), 1e-100) * 1e-12
            if chart.isLogarithmic {
                yRange = !isFlat ? (lowest / 1.1, highest * 1.1) : (lowest / 2, highest * 2)
                yTicks = Ticks(powersFrom: yRange.low, to: yRange.high)
            } else {
                let pad = !isFlat ? (highest - lowest) * 0.04 : max(abs(lowest) * 0.1, 0.1)
                // A loss or an accuracy stays on its own side of zero.
                yRange = (lowest >= 0 ? max(0, lowest - pad) : lowest - pad, highest + pad)
                yTicks = Ticks(from: yRange.low, to: yRange.high, about: height < 300 ? 5 : 6)
            }
            xTicks = Ticks(
                from: xRange.low, to: xRange.high, about: width < 500 ? 5 : 8, wholeOnly: chart.xIsWhole)
            let character = isBare ? 7.8 : Self.character
            left = 14 + character * Double(yTicks.labels.map(\.count).max() ?? 1)
            bottom = isBare ? 44 : 40
            var places: [(x: Double, y: Double)] = []
            var (x, y) = (left, 42.0)
            for series in chart.series {
                let needed = 34 + Self.character * Double(series.name.count)
                if x > left, x + needed > width - Self.right {
                    x = left
                    y += 17
                }
                places.append((x, y))
                x += needed + 8
            }
            legendPlaces = places
            top = isBare ? 10 : y + 14
            self.height = isBare ? height : height + y - 42
        }

        private func x(_ value: Double) -> Double {
            left + (value - xRange.low) / (xRange.high - xRange.low) * (width - left - Self.right)
        }

        private func y(_ value: Double) -> Double {
            let share =
                chart.isLogarithmic
                ? (log(value) - log(yRange.low)) / (log(yRange.high) - log(yRange.low))
                : (value - yRange.low) / (yRange.high - yRange.low)
            return height - bottom - share * (height - bottom - top)
        }

        var title: String {
            "<text class=\"head\" x=\"\(left.mark)\" y=\"20\">\(chart.title.markup)</text>\n"
        }

        var legend: String {
            zip(chart.series, legendPlaces).map { series, place in
                sample(series, x: place.x, y: place.y - 4)
                    + "<text class=\"name\" x=\"\((place.x + 28).mark)\" y=\"\(place.y.mark)\">"
                    + "\(series.name.markup)</text>\n"
            }.joined()
        }

        /// What stands for a line in a legend, 22 wide.
        func sample(_ series: Series, x: Double, y: Double) -> String {
            series.points.count == 1
                ? "<circle class=\"\(Palette.fill(series.color))\" r=\"3.5\" cx=\"\((x + 11).mark)\" cy=\"\(y.mark)\"/>"
                : "<path class=\"\(classes(series))\" d=\"M\(x.mark) \(y.mark)h22\"/>"
        }

        var axes: String {
            let (floor, end) = ((height - bottom).mark, (width - Self.right).mark)
            var text = ""
            for (value, label) in zip(yTicks.values, yTicks.labels) {
                text += "<path class=\"grid\" d=\"M\(left.mark) \(y(value).mark)H\(end)\"/>"
                text += "<text class=\"axis\" text-anchor=\"end\" x=\"\((left - 6).mark)\" "
                text += "y=\"\((y(value) + 4).mark)\">\(label)</text>\n"
            }
            text += "<path class=\"grid\" d=\"M\(left.mark) \(floor)H\(end)\"/>\n"
            for (value, label) in zip(xTicks.values, xTicks.labels) {
                text += "<path class=\"grid\" d=\"M\(x(value).mark) \(floor)v4\"/>"
                text += "<text class=\"axis\" text-anchor=\"middle\" x=\"\(x(value).mark)\" "
                text += "y=\"\((height - bottom + 17).mark)\">\(label)</text>\n"
            }
            let middle = ((left + width - Self.right) / 2).mark
            return text + "<text class=\"axis\" text-anchor=\"middle\" x=\"\(middle)\" y=\"\((height - 7).mark)\">"
                + "\(chart.xTitle.markup)</text>\n"
        }

        func line(_ series: Series) -> String {
            guard series.points.count > 1 else {
                return series.points.map { point in
                    "<circle class=\"\(Palette.fill(series.color))\" r=\"3.5\" cx=\"\(x(point.x).mark)\" "
                        + "cy=\"\(y(point.y).mark)\"/>\n"
                }.joined()
            }
            let path = thinned(series.points).enumerated().map { index, point in
                "\(index == 0 ? "M" : "L")\(x(point.x).mark) \(y(point.y).mark)"
            }
            return "<path class=\"\(classes(series))\" d=\"\(path.joined())\"/>\n"
        }

        private func classes(_ series: Series) -> String {
            "line \(Palette.stroke(series.color))" + (series.stroke == .solid ? "" : " \(series.stroke.rawValue)")
        }

        /// No more points than can be told apart: of each column of pixels the first, the lowest, the highest, the last.
        private func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
            let columns = Int(width)
            guard points.count > 4 * columns else { return points }
            return (0..<columns).flatMap { column -> [(x: Double, y: Double)] in
                let range = column * points.count / columns..<(column + 1) * points.count / columns
                let low = range.min { points[$0].y < points[$1].y } ?? range.lowerBound
                let high = range.max { points[$0].y < points[$1].y } ?? range.lowerBound
                return Set([range.lowerBound, low, high, range.upperBound - 1]).sorted().map { points[$0] }
            }
        }
    }
}
