package import TreadleData

/// What a run does between two reports: the mean loss, the speed and the wait for input since the last one.
package struct SteadyFigures: Sendable {
    package struct Report: Equatable, Sendable {
        package var cursor: Cursor
        package var loss: Double
        package var rate: Double
        package var samplesPerSecond: Double
        package var inputWait: Double
    }

    private let interval: Double
    private var lossSum = 0.0
    private var rows = 0
    private var seconds = 0.0
    private var waited = 0.0

    package init(every interval: Duration) {
        self.interval = interval / .seconds(1)
    }

    /// Adds a step; returns the figures once the interval is over, and begins the next.
    package mutating func add(_ step: StepReport) -> Report? {
        lossSum += step.loss * Double(step.rows)
        rows += step.rows
        let elapsed = step.seconds - seconds
        guard elapsed > 0, elapsed >= interval else { return nil }
        defer {
            lossSum = 0
            rows = 0
            seconds = step.seconds
            waited = step.waited
        }
        return Report(
            cursor: step.cursor, loss: lossSum / Double(rows), rate: step.rate,
            samplesPerSecond: Double(rows) / elapsed, inputWait: min(1, max(0, (step.waited - waited) / elapsed)))
    }
}
