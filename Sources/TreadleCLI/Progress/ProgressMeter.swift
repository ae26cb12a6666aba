internal import TreadleData
package import TreadleRun

/// Where a run stands: the epoch under way, its loss so far, the time that is left.
package struct ProgressMeter: Sendable {
    package let overview: RunOverview
    /// The newest step; nil before the first.
    package private(set) var last: StepReport?

    private var lossSum = 0.0
    private var epochRows = 0
    private var batchesDone = 0

    package init(_ overview: RunOverview) {
        self.overview = overview
    }

    package mutating func add(_ report: StepReport) {
        last = report
        // A loss that is not finite shows in every sum after it: that is what is to be seen.
        lossSum += report.loss * Double(report.rows)
        epochRows += report.rows
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

    /// Seconds until the last epoch ends at this process's mean speed, evaluation included; nil in the first second,
    /// which says little.
    package var secondsLeft: Double? {
        guard let last, batchesDone > 0, last.seconds >= 1 else { return nil }
        let left = overview.epochs * perEpoch - position
        return Double(max(0, left)) * last.seconds / Double(batchesDone)
    }
}
