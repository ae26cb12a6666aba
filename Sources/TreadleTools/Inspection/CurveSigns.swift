internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// What a run's course says about the model.
struct CurveSigns {
    private let checkpoint: CheckpointHead

    init(_ checkpoint: CheckpointHead) {
        self.checkpoint = checkpoint
    }

    var all: [HealthSign] {
        [untrained, rollbacks, rise, leap, overfitting, chance, unfinished].compactMap { $0 }
    }

    private func curve(_ name: String) -> [(epoch: Int, value: Double)] {
        (name.hasPrefix("valid.") ? checkpoint.curve : checkpoint.history).compactMap { record in
            record.metrics[name].flatMap { $0.isFinite ? (record.epoch, $0) : nil }
        }
    }

    private var untrained: HealthSign? {
        guard checkpoint.cursor.step == 0 else { return nil }
        return HealthSign(
            severity: .remark, finding: "no update has been made yet",
            meaning: "these are the weights that training starts from")
    }

    private var rollbacks: HealthSign? {
        let count = checkpoint.progress.rollbacks
        guard count > 0 else { return nil }
        return HealthSign(
            severity: .warning,
            finding:
                "training diverged and went back to an earlier checkpoint \(count == 1 ? "once" : "\(count) times")",
            meaning: "optimizer.lr is near the limit for this model; lower it or set optimizer.clip_norm")
    }

    /// The training loss has left its best value far behind.
    private var rise: HealthSign? {
        let losses = curve("loss")
        guard let last = losses.last, let best = losses.min(by: { $0.value < $1.value }), best.value > 0,
            last.value > 1.5 * best.value, last.epoch > best.epoch
        else { return nil }
        return HealthSign(
            severity: .warning,
            finding: "the training loss was \(Figure.short(best.value)) in epoch \(best.epoch) and is "
                + "\(Figure.short(last.value)) now",
            meaning: "training becomes unstable; lower optimizer.lr, or let schedule lower it over time")
    }

    /// A loss has leapt by a factor from one epoch to the next, and come back.
    private var leap: HealthSign? {
        for (name, title) in [("loss", "training"), ("valid.loss", "validation")] {
            let losses = curve(name)
            let leaps = zip(losses, losses.dropFirst()).filter { before, after in
                before.value > 0 && after.value > 4 * before.value && after.value > losses[0].value / 2
                    && losses.contains { $0.epoch > after.epoch && $0.value < 2 * before.value }
            }
            guard let (before, after) = leaps.max(by: { $0.1.value / $0.0.value < $1.1.value / $1.0.value }),
                let back = losses.first(where: { $0.epoch > after.epoch && $0.value < 2 * before.value })
            else { continue }
            return HealthSign(
                severity: .warning,
                finding:
                    "the \(title) loss leapt from \(Figure.short(before.value)) to \(Figure.short(after.value)) in "
                    + "epoch \(after.epoch), and was back at \(Figure.short(back.value)) in epoch \(back.epoch)",
                meaning:
                    "a step was far too large for what had been learnt: lower optimizer.lr, set optimizer.clip_norm, "
                    + "or look for extreme rows in the data")
        }
        return nil
    }

    /// The validation loss rises while the training loss still falls.
    private var overfitting: HealthSign? {
        let (training, validation) = (curve("loss"), curve("valid.loss"))
        guard let last = validation.last, let best = validation.min(by: { $0.value < $1.value }), best.value > 0,
            last.epoch >= best.epoch + 2, last.value > 1.1 * best.value,
            let then = training.first(where: { $0.epoch == best.epoch }), let now = training.last,
            now.value < then.value
        else { return nil }
        return HealthSign(
            severity: .warning,
            finding: "the validation loss was \(Figure.short(best.value)) in epoch \(best.epoch) and rose to "
                + "\(Figure.short(last.value)), while the training loss fell on",
            meaning: "the model learns the training rows by heart; set stop.early, dropout or optimizer.weight_decay, "
                + "or train on more rows")
    }

    /// Classes are told apart no better than by guessing.
    private var chance: HealthSign? {
        guard let guessing = checkpoint.loss.traits.guessing?(checkpoint.network.outputs), guessing > 0,
            checkpoint.cursor.epoch > 0, let last = curve("valid.loss").last ?? curve("loss").last,
            last.value >= 0.99 * guessing
        else { return nil }
        return HealthSign(
            severity: .warning,
            finding: "the loss, \(Figure.short(last.value)), is no better than guessing among "
                + "\(checkpoint.network.outputs) classes",
            meaning: "nothing has been learned: look at the targets, data.normalize and optimizer.lr")
    }

    /// The run ended while it still got better.
    private var unfinished: HealthSign? {
        let curve = curve("valid.loss").isEmpty ? curve("loss") : curve("valid.loss")
        guard checkpoint.progress.finished, !checkpoint.progress.stoppedEarly, curve.count >= 3,
            let last = curve.last, let before = curve.dropLast().last, before.value > 0,
            curve.allSatisfy({ $0.value >= last.value }), last.value < 0.98 * before.value
        else { return nil }
        return HealthSign(
            severity: .remark, finding: "the loss was still falling when the run ended",
            meaning: "more epochs may make the model better; raise stop.epochs and run the same command")
    }
}
