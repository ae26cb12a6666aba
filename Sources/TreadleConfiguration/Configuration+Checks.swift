internal import TreadleBase
internal import TreadleModel

extension Configuration {
    /// Reports what is wrong between keys that are right each by itself.
    func check(_ root: JSON5Node, _ problems: inout Problems) {
        var check = CrossCheck(root: root, problems: problems)
        checkLoss(&check)
        checkOptimizer(&check)
        checkData(&check)
        checkMembers(&check)
        checkMetrics(&check)
        checkUnused(&check)
        problems = check.problems
    }

    private func checkLoss(_ check: inout CrossCheck) {
        check.that(["loss.type", "task"], task.losses.contains(lossType)) {
            LossConfiguration.misfit(lossType, task)
        }
        check.that(
            ["loss.class_weight", "loss.type", "task"],
            loss.classWeight == nil || lossType.traits.weighs.contains(task)
        ) {
            let ofLabels = LossType.allCases.filter { $0.traits.weighs.contains(.multilabel) }
            return
                "loss.class_weight is for classes, or for labels with \(choiceList(ofLabels.map(\.rawValue))); not for "
                + "\"\(lossType.rawValue)\" in task \"\(task.rawValue)\"; remove it"
        }
    }

    private func checkOptimizer(_ check: inout CrossCheck) {
        check.that(["optimizer.nesterov", "optimizer.momentum"], !optimizer.nesterov || optimizer.momentum > 0) {
            "optimizer.nesterov needs optimizer.momentum above 0, such as 0.9"
        }
        for (key, factor, isUsed, user) in [
            ("optimizer.bias_rate", optimizer.biasRate, model.bias, "model.bias"),
            ("optimizer.scale_rate", optimizer.scaleRate, model.scaleInputs, "model.scale_inputs"),
            ("optimizer.embedding_rate", optimizer.embeddingRate, model.embedding != nil, "model.embedding"),
        ] {
            check.that([key, user], factor == 1 || isUsed) {
                "\(key) has a use with \(user) only; remove it, or set \(user)"
            }
        }
        check.that(
            ["optimizer.decay_schedule", "optimizer.weight_decay"],
            optimizer.decaySchedule == .constant || optimizer.weightDecay > 0
        ) {
            "optimizer.decay_schedule changes nothing while optimizer.weight_decay is 0; set that, or remove it"
        }
        check.that(["schedule.min_lr", "optimizer.lr"], schedule.minLr <= optimizer.lr) {
            "schedule.min_lr \(schedule.minLr) is above optimizer.lr \(optimizer.lr); rates fall from lr to min_lr"
        }
    }

    private func checkData(_ check: inout CrossCheck) {
        check.that(["data.normalize_target", "task"], data.normalizeTarget == .none || task == .regression) {
            "data.normalize_target is for task \"regression\" only, not for \"\(task.rawValue)\"; remove it"
        }
        check.that(
            ["data.normalize_target", "loss.type"], data.normalizeTarget == .none || lossType.traits.takesScaledTargets
        ) {
            "data.normalize_target does not fit loss.type \"\(lossType.rawValue)\", which needs counts; remove it"
        }
        check.that(["data.smooth_clip", "data.normalize"], data.smoothClip == 3 || data.normalize == .robust) {
            "data.smooth_clip has a use with data.normalize \"robust\" only; remove it, or set that"
        }
        check.that(["data.clip_predictions", "task"], !data.clipPredictions || task == .regression) {
            "data.clip_predictions is for task \"regression\" only, not for \"\(task.rawValue)\"; remove it"
        }
        check.that(["retrain.promote", "data.valid"], retrain?.promote == nil || data.valid != nil) {
            "retrain.promote compares models on validation rows, and data.valid is null; give one or set promote to null"
        }
    }

    private func checkMembers(_ check: inout CrossCheck) {
        if case .folds(let count) = data.valid {
            check.that(["data.valid.folds", "model.members"], model.members.isMultiple(of: count)) {
                "data.valid.folds is \(count), and model.members \(model.members): each member leaves out one fold; set "
                    + "model.members to \(count), or to a multiple of it"
            }
        }
        check.that(["model.vary", "model.members"], model.vary == nil || model.members > 1) {
            "model.vary tells members apart, and model.members is 1; raise it, or remove vary"
        }
        let lowest = model.vary?.lr?.lowerBound ?? .infinity
        check.that(["model.vary.lr", "schedule.min_lr"], schedule.minLr <= lowest) {
            "schedule.min_lr \(schedule.minLr) is above the lowest rate of model.vary.lr, \(lowest); rates fall from lr to min_lr"
        }
    }

    private func checkMetrics(_ check: inout CrossCheck) {
        for (index, metric) in metrics.enumerated() {
            check.that(["metrics.\(index)", "metrics", "task"], task.metrics.contains(metric)) {
                "metric \"\(metric.rawValue)\" does not fit task \"\(task.rawValue)\"; use "
                    + choiceList(task.metrics.map(\.rawValue))
            }
            check.that(["metrics.\(index)", "metrics"], !metrics[..<index].contains(metric)) {
                "metric \"\(metric.rawValue)\" is given twice; remove one"
            }
        }
        check.that(["calibrate", "task"], !calibrate || task != .regression) {
            "calibrate is for probabilities, which task \"regression\" has none of; remove it"
        }
        check.that(["calibrate", "data.valid"], !calibrate || data.valid != nil) {
            "calibrate fits a temperature on validation rows, and data.valid is null; give some, or remove calibrate"
        }
        // A confusion matrix is no number to compare.
        let names = metrics.filter { $0 != .confusion }.map { "valid.\($0.rawValue)" }
        if let early = stop.early {
            check.watched(early.metric, at: "stop.early.metric", names: ["valid.loss", "loss"] + names, task: task)
        }
        if let promote = retrain?.promote {
            check.watched(promote.metric, at: "retrain.promote.metric", names: ["valid.loss"] + names, task: task)
        }
    }

    /// Keys that the chosen type does not use.
    ///
    /// They may stand at their defaults, as the resolved configuration prints them; any other value would
    /// change nothing in silence, which its writer cannot have meant.
    private func checkUnused(_ check: inout CrossCheck) {
        let printed = Configuration.section.form.write(self, .any)
        func unless(_ isUsed: Bool, _ keys: [String], _ typeKey: String, _ users: [String], _ check: inout CrossCheck) {
            guard !isUsed else { return }
            for key in keys {
                let standard = Configuration.settings.first { $0.path == key }?.defaultText
                check.that([key, typeKey], printed.find(key)?.inline == standard) {
                    "\(key) has a use with \(typeKey) \(choiceList(users)) only; remove it or change \(typeKey)"
                }
            }
        }
        for setting in OptimizerTraits.Setting.allCases {
            let users = OptimizerType.allCases.filter { $0.traits.settings.contains(setting) }
            unless(
                users.contains(optimizer.type), ["optimizer.\(setting.rawValue)"], "optimizer.type",
                users.map(\.rawValue), &check)
        }
        if let embedding = model.embedding {
            unless(
                embedding.type == .periodic, ["model.embedding.frequencies", "model.embedding.sigma"],
                "model.embedding.type", ["periodic"], &check)
            unless(
                embedding.type == .piecewise, ["model.embedding.bins"], "model.embedding.type", ["piecewise"], &check)
        }
        for setting in LossTraits.Setting.allCases {
            let users = LossType.allCases.filter { $0.traits.settings.contains(setting) }
            unless(
                users.contains(lossType) || check.problems.concern("task"), ["loss.\(setting.rawValue)"], "loss.type",
                users.map(\.rawValue), &check)
        }
        let curve = schedule.type
        unless(
            [.step, .exponential, .plateau].contains(curve), ["schedule.gamma"], "schedule.type",
            ["step", "exponential", "plateau"], &check)
        unless(curve == .step, ["schedule.step_epochs"], "schedule.type", ["step"], &check)
        let falling: [ScheduleType] = [.cosine, .poly, .plateau, .linear, .coslog, .flatCosine, .flatLinear]
        unless(
            falling.contains(curve), ["schedule.min_lr"], "schedule.type", falling.map(\.rawValue), &check)
        unless(curve == .coslog, ["schedule.cycles"], "schedule.type", ["coslog"], &check)
        unless(curve == .poly, ["schedule.power"], "schedule.type", ["poly"], &check)
        unless(curve == .plateau, ["schedule.patience"], "schedule.type", ["plateau"], &check)
        unless(
            data.shuffle == .block, ["data.shuffle_block", "data.shuffle_window"], "data.shuffle", ["block"], &check)
        unless(
            stop.onNaN == .rollback, ["stop.max_rollbacks", "stop.rollback_factor"], "stop.on_nan", ["rollback"],
            &check)
    }
}

/// Judges keys that depend on each other, where all of them could be read.
private struct CrossCheck {
    let root: JSON5Node
    var problems: Problems

    /// Reports `message` at the first of `paths` that is written, unless what is expected holds.
    mutating func that(_ paths: [String], _ holds: Bool, _ message: () -> String) {
        guard !holds, !paths.contains(where: problems.concern) else { return }
        let written = paths.compactMap { root.find($0)?.origin }
        problems.report(message(), at: written.first ?? root.origin)
    }

    /// Checks that `metric` is one of those that will be measured.
    mutating func watched(_ metric: String, at path: String, names: [String], task: LearningTask) {
        that([path, "metrics", "task"], names.contains(metric)) {
            let possible = task.metrics.filter { $0 != .confusion }
            if let missing = possible.first(where: { "valid.\($0.rawValue)" == metric }) {
                return "\(path) \(quoted(metric)) is not measured; add \"\(missing.rawValue)\" to metrics"
            }
            let near =
                names.first { $0.hasSuffix(".\(metric)") }
                ?? nearest(to: metric, among: names + possible.map { "valid.\($0.rawValue)" })
            return "unknown metric \(quoted(metric)) for \(path); "
                + (near.map { "did you mean \"\($0)\"?" } ?? "it must be \(choiceList(names))")
        }
    }
}

extension PrintedValue {
    /// The value that a dotted path of keys leads to.
    fileprivate func find(_ path: String) -> PrintedValue? {
        path.split(separator: ".").reduce(Optional(self)) { $0?[String($1)] }
    }
}
