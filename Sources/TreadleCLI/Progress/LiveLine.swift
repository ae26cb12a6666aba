internal import TreadleData
package import TreadleRun
internal import TreadleTools

/// The one line that is drawn over and over while training runs on a terminal.
package struct LiveLine: Sendable {
    package let meter: ProgressMeter
    /// Speed and wait as last measured; nil before they were.
    package let figures: SteadyFigures.Report?

    package init(meter: ProgressMeter, figures: SteadyFigures.Report?) {
        self.meter = meter
        self.figures = figures
    }

    private static let shortestBar = 8
    private static let longestBar = 30

    /// The line, at most `width` characters wide: the bar shrinks first, then what matters least goes.
    package func text(width: Int, unicode: Bool) -> String {
        let percent = Figure.percent(meter.share)
        // In the order on the line; the larger the number, the sooner a part goes.
        var parts: [(text: String, expendable: Int)] = [
            ("epoch \(meter.epoch)/\(meter.overview.epochs)", 0),
            ("", 2),
            (percent, 1),
            ("step \(Figure.grouped(meter.last?.cursor.step ?? meter.overview.start.step))", 5),
            ("loss \(Figure.steady(meter.loss))", 0),
        ]
        if let figures {
            parts.append(("\(Figure.grouped(Int(figures.samplesPerSecond.rounded()))) samples/s", 3))
            parts.append(("input wait \(Figure.percent(figures.inputWait))", 4))
        }
        if let left = meter.secondsLeft { parts.append(("\(Figure.duration(left)) left", 1)) }

        while true {
            let hasBar = parts.contains { $0.text.isEmpty }
            let others = parts.filter { !$0.text.isEmpty }
            let needed = others.map(\.text.count).reduce(0, +) + 2 * (others.count - 1)
            let room = width - needed - 2
            if hasBar ? room >= Self.shortestBar : needed <= width {
                let bar = hasBar ? self.bar(min(room, Self.longestBar), unicode: unicode) : ""
                return parts.map { $0.text.isEmpty ? bar : $0.text }.joined(separator: "  ")
            }
            guard let worst = parts.map(\.expendable).max(), worst > 0 else {
                return String(parts.map(\.text).joined(separator: "  ").prefix(max(0, width)))
            }
            parts.removeAll { $0.expendable == worst }
        }
    }

    private func bar(_ width: Int, unicode: Bool) -> String {
        let inner = unicode ? width : width - 2
        let done = min(inner, max(0, Int((meter.share * Double(inner)).rounded(.down))))
        let filled = String(repeating: unicode ? "━" : "#", count: done)
        let open = String(repeating: unicode ? "─" : ".", count: inner - done)
        return unicode ? filled + open : "[\(filled)\(open)]"
    }
}
