package import Treadle

/// What progress reports are made of: sums over the epoch under way, and speeds since the last report.
package struct ProgressMeter: Sendable {
    package let overview: RunOverview
    /// The newest step; nil before the first.
    package private(set) var last: StepReport?

    private var lossSum = 0.0
    private var epochRows = 0
    private var batchesDone = 0
    private var rowsSinceMark = 0
    private var markSeconds = 0.0
    private var markWaited = 0.0

    package init(_ overview: RunOverview) {
        self.overview = overview
    }

    package mutating func add(_ report: StepReport) {
        last = report
        // A loss that is not finite shows in every sum after it: that is what is to be seen.
        lossSum += report.loss * Double(report.rows)
        epochRows += report.rows
        rowsSinceMark += report.rows
        batchesDone += 1
    }

    /// Begins the next epoch's sums.
    package mutating func endEpoch() {
        lossSum = 0
        epochRows = 0
    }

    /// The epoch's mean loss over the rows that this process has trained on.
    package var loss: Double { lossSum / Double(epochRows) }

    /// The epoch under way, counted from 1.
    package var epoch: Int { max(0, position - 1) / perEpoch + 1 }

    /// The share of the epoch that is done.
    package var share: Double { Double(position - (epoch - 1) * perEpoch) / Double(perEpoch) }

    /// Batches since the start of the run, over all resumptions.
    private var position: Int {
        let cursor = last?.cursor ?? overview.start
        return cursor.epoch * perEpoch + cursor.batch
    }

    private var perEpoch: Int { max(1, overview.batchesPerEpoch) }

    /// Seconds until the last epoch ends at this process's mean speed, evaluation included.
    package var secondsLeft: Double? {
        guard let last, batchesDone > 0, last.seconds > 0 else { return nil }
        let left = overview.epochs * perEpoch - position
        return Double(max(0, left)) * last.seconds / Double(batchesDone)
    }

    /// Rows per second and the share of time spent waiting for input, since the last `mark`.
    package var speed: (samplesPerSecond: Double, inputWait: Double) {
        guard let last, last.seconds > markSeconds else { return (0, 0) }
        let elapsed = last.seconds - markSeconds
        return (Double(rowsSinceMark) / elapsed, min(1, max(0, (last.waited - markWaited) / elapsed)))
    }

    /// Begins the next span over which `speed` is measured.
    package mutating func mark() {
        guard let last else { return }
        rowsSinceMark = 0
        markSeconds = last.seconds
        markWaited = last.waited
    }
}
