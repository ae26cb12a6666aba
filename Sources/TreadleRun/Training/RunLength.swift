internal import TreadleConfiguration

/// How many updates a run makes.
struct RunLength {
    let updatesPerEpoch: Int
    /// Of the whole run, which some schedules stretch over.
    let updates: Int

    init(_ configuration: Configuration, batchesPerEpoch: Int) {
        let group = configuration.compute.accumulate
        updatesPerEpoch = (batchesPerEpoch + group - 1) / group
        let (all, isTooMany) = updatesPerEpoch.multipliedReportingOverflow(by: configuration.stop.epochs)
        updates = min(configuration.stop.steps ?? .max, isTooMany ? .max : all)
    }
}
