/// What a call of `treadle retrain` came to.
package struct RetrainReport: Equatable, Sendable {
    package enum Outcome: String, Sendable {
        case promoted, notPromoted = "not_promoted", unchanged, skipped, interrupted, rolledBack = "rolled_back"
        case dryRun = "dry_run"
    }

    package var outcome: Outcome
    package var reason: String
    /// Why there was something to do.
    package var change: String?
    /// The served model's file.
    package var model: String
    package var metric: String?
    package var old: Double?
    package var new: Double?
    /// New minus old over rows drawn again, with the confidence that was asked for or 95 %.
    package var difference: Bootstrap.Difference?
    package var digest: String?
    package var drift: Drift?
    /// By column of a table: values of categories that have come since the last time and that nothing was learnt about.
    package var newValues: [String: Int] = [:]
    package var hookFailure: String?

    init(_ outcome: Outcome, _ reason: String, model: String) {
        self.outcome = outcome
        self.reason = reason
        self.model = model
    }
}
