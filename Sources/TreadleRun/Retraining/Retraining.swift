internal import Foundation
internal import TreadleBase
package import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// The nightly job: trains when data or configuration changed, and promotes the model if it is not worse.
///
/// Whenever it is killed, the served model is whole, and the next call continues.
package struct Retraining {
    package struct Options: Sendable {
        package var host = RunHost()
        /// Says what would happen, and changes nothing.
        package var isDryRun = false
        /// Promotes the new model without comparing it with the old one.
        package var promotesAnyway = false

        package init() {}
    }

    let configuration: Configuration
    private let settings: RetrainConfiguration
    let promotion: Promotion
    let promoted: PromotedModel
    let options: Options
    private let observer: any TrainingObserver
    let workers: Workers

    package init(_ configuration: Configuration, options: Options, observer: any TrainingObserver) throws {
        guard let settings = configuration.retrain, let promotion = settings.promote else {
            throw TreadleError(
                .configuration,
                "retrain.promote is null: say with retrain.promote.to where the model goes, and with data.valid what it is "
                    + "judged by")
        }
        let (run, served) = (configuration.path(configuration.checkpoint.dir), configuration.path(promotion.to))
        guard DurableFile.directory(of: served) != run else {
            throw TreadleError(
                .configuration,
                "retrain.promote.to, \(served), lies in checkpoint.dir, which every new training empties: nothing would be "
                    + "served meanwhile; name a place outside")
        }
        self.configuration = configuration
        self.settings = settings
        self.promotion = promotion
        self.options = options
        self.observer = observer
        promoted = PromotedModel(configuration.path(promotion.to), keep: promotion.keep)
        workers = Workers(count: configuration.threadCount)
    }

    var directory: String { configuration.path(configuration.checkpoint.dir) }

    // MARK: The flow

    package func run() throws -> RetrainReport {
        try whileLocked { lock in
            var state = try RetrainState.read(in: directory)
            var hookFailure: String?
            if let pending = state, pending.stage == .hook, !options.isDryRun {
                (state, hookFailure) = try finishHook(of: pending)
            }
            var report = try retrain(from: state, lock: lock)
            report.hookFailure = report.hookFailure ?? hookFailure
            return report
        }
    }

    private func retrain(from state: RetrainState?, lock: DirectoryLock?) throws -> RetrainReport {
        let served = options.promotesAnyway ? try? promoted.read() : try promoted.read()
        let known = try options.promotesAnyway ? nil : columns(of: served)
        let identity = try DataIdentity(
            configuration, like: known, workers: workers, stop: options.host.stop)
        let wanted = RunIdentity(configuration, data: identity.fingerprint)
        let change = try change(identity, wanted, served: served, state: state, known)
        guard let change else {
            return RetrainReport(.unchanged, "neither data nor configuration changed", model: promoted.path)
        }
        let match = try served.flatMap { try correspondence(of: $0, to: identity) }
        let isContinued = state?.isUnderWay(wanted) == true
        if options.isDryRun {
            let start = served == nil || settings.start == .cold ? "from new weights" : "from the promoted weights"
            let verb = isContinued ? "would continue the training under way" : "would train \(start)"
            return RetrainReport(.dryRun, "\(verb): \(change)", model: promoted.path)
        }
        observer.note(.info, change)
        var report = try train(
            identity, wanted, served: served, match: match, known, isContinued: isContinued, lock: lock, change: change
        )
        if let before = state?.unknownValues, known != nil {
            report.newValues = identity.unknownValues.merging(before) { $0 - $1 }.filter {
                $0.value > 0 && identity.unknownValues[$0.key] != nil
            }
        }
        return report
    }

    /// How data and served model correspond. Throws where they cannot be compared, unless nobody asks for that.
    private func correspondence(of served: Checkpoint, to identity: DataIdentity) throws -> Correspondence? {
        do {
            let match = try Correspondence(of: served.model.description, at: promoted.path, to: identity)
            guard match.hasNewClasses else {
                if !options.promotesAnyway { try checkRowsPutAside(by: served) }
                return match
            }
            throw TreadleError(
                .badData,
                "the data has classes that \(promoted.path) does not know, so the two cannot be compared; \(promoteAnyway)"
            )
        } catch let error as TreadleError where options.promotesAnyway {
            observer.note(.debug, error.description)
            return nil
        }
    }

    /// The columns by which tables are read, so that every night reads them in the same way: those of the served model, where
    /// it answers the same question.
    private func columns(of served: Checkpoint?) throws -> KnownColumns? {
        guard let served, let schema = served.schema, try TrainingData.areTables(configuration) else { return nil }
        let old = try served.origin.settings(at: promoted.path)
        guard old.data.train.y == configuration.data.train.y, old.task == configuration.task,
            old.data.kinds == configuration.data.kinds
        else { return nil }
        return KnownColumns(.table(schema), owner: "the model \(promoted.path)", remedy: promoteAnyway)
    }

    /// A model is judged fairly only by rows that it has not learnt from. Warns where the promoted one may know some of
    /// those that the new one is judged by.
    ///
    /// With folds every row is learnt from, and a model is judged on each by those members that left it out. A promoted model
    /// whose members left out other rows would know nearly all of them, and is refused.
    private func checkRowsPutAside(by served: Checkpoint) throws {
        let old = try served.origin.settings(at: promoted.path)
        guard configuration.putsAsideOtherRows(than: old) else { return }
        func folds(_ configuration: Configuration) -> Int? {
            if case .folds(let count) = configuration.data.valid { count } else { nil }
        }
        let (before, now) = (folds(old), folds(configuration))
        guard before != nil || now != nil else {
            observer.note(
                .warning,
                "\(promoted.path): its training put other rows aside (data.valid or the seed differ), and may have learnt from "
                    + "some of those that the new model is to be judged by, which favours the old one; put data.valid and seed "
                    + "back, or \(promoteAnyway)")
            return
        }
        let was = before.map { "\($0) folds" } ?? "no folds"
        throw TreadleError(
            .configuration,
            "\(promoted.path) was trained with \(was), \(old.model.members) members and seed \(old.seed), and so has learnt from "
                + "rows that the new model is to be judged by; put data.valid, model.members and seed back, or \(promoteAnyway)"
        )
    }

    /// Puts the predecessor back.
    package func rollBack() throws -> RetrainReport {
        try whileLocked { _ in
            try promoted.checkPredecessor()
            if options.isDryRun {
                return RetrainReport(
                    .dryRun, "would put \(promoted.predecessor(1)) back in the place of \(promoted.path)",
                    model: promoted.path)
            }
            try promoted.rollBack()
            return RetrainReport(.rolledBack, "the predecessor is served again", model: promoted.path)
        }
    }

    /// Does what only one run may do at a time, unless another is at it.
    private func whileLocked(_ body: (DirectoryLock?) throws -> RetrainReport) throws -> RetrainReport {
        // Taking the lock would create the directory, and a dry run changes nothing.
        if options.isDryRun, try !FileSystem.exists(directory) { return try body(nil) }
        let lock = try DirectoryLock.acquire(directory, whenHeld: settings.lock, stop: options.host.stop) { holder in
            observer.note(.info, "waiting for \(holder), which has the lock of \(directory)")
        }
        guard let lock else {
            return RetrainReport(.skipped, "another run is under way in \(directory)", model: promoted.path)
        }
        return try withExtendedLifetime(lock) { try body(lock) }
    }

    /// Why there is something to do, or nil.
    private func change(
        _ identity: DataIdentity, _ wanted: RunIdentity, served: Checkpoint?, state: RetrainState?,
        _ known: KnownColumns?
    ) throws -> String? {
        guard let served else { return "there is no promoted model yet" }
        let isServedSame = try RunIdentity(of: served.origin, at: promoted.path).asksTheSame(as: wanted)
        let isJudged = state?.stage == .judged && state?.run.asksTheSame(as: wanted) == true
        if options.promotesAnyway { return "asked to train and promote anyway" }
        if settings.when == .always { return "retrain.when is \"always\"" }
        guard !isServedSame, !isJudged else { return nil }
        if let state, state.stage == .training, state.run.asksTheSame(as: wanted) {
            // Nobody is there to ask, and a mixture of two contracts must not be served.
            return state.isUnderWay(wanted)
                ? "continuing the training that was under way"
                : "the training that was under way had numerics \(state.run.numerics), and this release has "
                    + "\(Treadle.numerics): starting over"
        }
        guard served.fingerprint != identity.fingerprint else { return "the configuration changed" }
        if let state, state.fingerprint == served.fingerprint, state.rows < identity.rows,
            try DataIdentity(
                configuration, rows: state.rows, like: known, workers: workers, stop: options.host.stop
            ).fingerprint == state.fingerprint
        {
            return "\(identity.rows - state.rows) rows were appended to the \(state.rows) of before"
        }
        return "the data changed"
    }

    // MARK: Training

    private func train(
        _ identity: DataIdentity, _ wanted: RunIdentity, served: Checkpoint?, match: Correspondence?,
        _ known: KnownColumns?, isContinued: Bool, lock: DirectoryLock?, change: String
    ) throws -> RetrainReport {
        var state = RetrainState(stage: .training, run: wanted, rows: identity.rows)
        state.unknownValues = identity.unknownValues
        var training = Trainer.Options()
        training.lock = lock
        training.fresh = !isContinued
        // Checkpoints of another training in the directory are replaced: left-overs of one night must not block the
        // next.
        training.replacesForeign = true
        // Written only when the earlier run's checkpoints are gone: what it says would let a later call continue from
        // them.
        training.begins = { [state, directory] in try state.write(in: directory) }
        training.host = options.host
        training.columns = known
        if settings.start == .warm, let served {
            training.warmStart = WarmStart(served.model, path: promoted.path, isOptional: options.promotesAnyway)
        }
        let summary = try Trainer.run(configuration, options: training, observer: observer)
        guard summary.ending.isFinal, let candidate = summary.checkpoint else {
            return RetrainReport(.interrupted, "the next call continues", model: promoted.path)
        }
        var report = try judge(candidate, served: served, match: match, known)
        report.digest = summary.digest
        report.change = change
        if report.outcome == .promoted {
            if promotion.hook != nil {
                // Written before the promotion. After a kill, the digest of the served weights tells the next call
                // whether it took place.
                state.stage = .hook
                state.environment = variables(report)
                try state.write(in: directory)
            }
            try promoted.replace(by: candidate)
            if let hook = promotion.hook {
                report.hookFailure = try PromotionHook(command: hook).run(
                    state.environment ?? [:], stop: options.host.stop)
            }
        }
        state.stage = .judged
        state.outcome = report.outcome.rawValue
        state.environment = nil
        try state.write(in: directory)
        return report
    }

    // MARK: The hook

    /// Completes a promotion whose process was killed: runs the hook if the served model is the promoted one. Otherwise
    /// the kill came before the promotion, and the stage goes back to `.training`, so that the promotion is made anew.
    ///
    /// Returns the state from then on, and how the hook failed, if it did.
    private func finishHook(of pending: RetrainState) throws -> (RetrainState, String?) {
        var state = pending
        var failure: String?
        guard try promoted.read()?.parameterDigest == pending.environment?[HookVariable.digest.rawValue] else {
            state.stage = .training
            state.environment = nil
            return (state, nil)
        }
        if let hook = promotion.hook {
            observer.note(.info, "running the hook of the promotion that was interrupted")
            failure = try PromotionHook(command: hook).run(pending.environment ?? [:], stop: options.host.stop)
        }
        state.stage = .judged
        state.environment = nil
        try state.write(in: directory)
        return (state, failure)
    }

    private func variables(_ report: RetrainReport) -> [String: String] {
        var variables: [HookVariable: String] = [
            .model: promoted.path, .predecessor: promoted.predecessor(1), .run: directory, .name: configuration.name,
            .digest: report.digest ?? "", .metric: report.metric ?? "",
        ]
        variables[.newMetric] = report.new.map { "\($0)" }
        variables[.oldMetric] = report.old.map { "\($0)" }
        return Dictionary(uniqueKeysWithValues: variables.map { ($0.key.rawValue, $0.value) })
    }
}
