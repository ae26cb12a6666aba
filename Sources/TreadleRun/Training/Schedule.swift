internal import CKernels
internal import TreadleBase
package import TreadleConfiguration

/// How the learning rate moves: a pure function of the update's number and of what training remembers.
package struct Schedule: Equatable, Sendable {
    private let configuration: ScheduleConfiguration

    package init(_ configuration: ScheduleConfiguration) {
        self.configuration = configuration
    }

    /// What an optimizer's `lr` comes to in update number `step` (from 0), which belongs to `epoch` (from 0).
    ///
    /// The first `warmup_steps` updates rise in equal steps to the full rate, whatever else the schedule does.
    /// `step` multiplies by gamma after every `step_epochs` epochs, `exponential` after each. The curves run from the end
    /// of the warm-up to `totalSteps`, where they reach `min_lr` and stay. What plateaus and rollbacks have multiplied the
    /// rate by comes on top.
    package func rate(
        from base: Double, step: Int, epoch: Int, totalSteps: Int, progress: TrainingProgress
    ) -> Double {
        let floor = configuration.minLr
        let share = share(of: step, totalSteps)
        let rate =
            switch configuration.type {
            case .constant, .plateau: base
            case .step: base * power(configuration.gamma, epoch / max(configuration.stepEpochs, 1))
            case .exponential: base * power(configuration.gamma, epoch)
            case .cosine: floor + (base - floor) * fall(share)
            case .poly: floor + (base - floor) * power(1 - share, configuration.power)
            case .linear: floor + (base - floor) * (1 - share)
            case .coslog: floor + (base - floor) * wave(share)
            case .flatCosine: floor + (base - floor) * fall(secondHalf(share))
            case .flatLinear: floor + (base - floor) * (1 - secondHalf(share))
            }
        return rate * warmth(step) * progress.rateScale
    }

    /// What an optimizer's `weight_decay` is multiplied by in update `step`, whose learning rate is `rate`.
    package func decay(of optimizer: OptimizerConfiguration, step: Int, totalSteps: Int, rate: Double) -> Double {
        switch optimizer.decaySchedule {
        case .constant: 1
        case .flatCosine: fall(secondHalf(share(of: step, totalSteps)))
        case .rate: rate / optimizer.lr
        }
    }

    /// Half a cosine, from 1 down to 0.
    private func fall(_ share: Double) -> Double { 0.5 + 0.5 * ck_cospi(share) }

    /// ½ − ½cos(2π·log₂(1+(2^cycles−1)·share)): `cycles` rises from 0 to 1 and falls back, each twice as long as the one
    /// before.
    private func wave(_ share: Double) -> Double {
        let end = Double(1 << configuration.cycles) - 1
        let turns = ElementaryFunction.log(1 + end * share) / 0.693_147_180_559_945_3
        // The cosine of the second half of a turn mirrors that of the first, which is what the kernel computes.
        let part = 2 * (turns - turns.rounded(.down))
        return 0.5 - 0.5 * ck_cospi(part > 1 ? 2 - part : part)
    }

    /// 0 until the middle, then from 0 to 1.
    private func secondHalf(_ share: Double) -> Double { max(0, 2 * share - 1) }

    /// Takes note of an epoch's watched metric: `plateau` multiplies the rate by gamma after `patience` epochs in a row
    /// without a new best, and counts anew. `lr` is what the run's rates start from.
    package func finishEpoch(metric: Double, higherIsBetter: Bool, lr: Double, progress: inout TrainingProgress) {
        guard configuration.type == .plateau else { return }
        let best = progress.plateauBest
        if best.map({ higherIsBetter ? metric > $0 : metric < $0 }) ?? !metric.isNaN {
            progress.plateauBest = metric
            progress.plateauWait = 0
            return
        }
        progress.plateauWait += 1
        guard progress.plateauWait >= configuration.patience else { return }
        progress.plateauWait = 0
        // Never below min_lr, and never up to it from below, where a rollback may have gone.
        let lowest = min(progress.rateScale, lr > 0 ? configuration.minLr / lr : 0)
        progress.rateScale = max(progress.rateScale * configuration.gamma, lowest)
    }

    private func warmth(_ step: Int) -> Double {
        guard step < configuration.warmupSteps else { return 1 }
        return Double(step + 1) / Double(configuration.warmupSteps)
    }

    /// The share of the way from the end of the warm-up to the last update that is behind, from 0 to 1.
    private func share(of step: Int, _ totalSteps: Int) -> Double {
        let length = totalSteps - configuration.warmupSteps
        guard length > 0 else { return step < totalSteps ? 0 : 1 }
        return min(max(Double(step - configuration.warmupSteps) / Double(length), 0), 1)
    }

    /// The power by repeated squaring: the same bits everywhere.
    private func power(_ number: Double, _ exponent: Int) -> Double {
        var result = 1.0
        var square = number
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }

    /// The power of a number from 0 to 1.
    private func power(_ number: Double, _ exponent: Double) -> Double {
        if let whole = Int(exactly: exponent), whole >= 0 { return power(number, whole) }
        guard number > 0 else { return 0 }
        return ElementaryFunction.exp(exponent * ElementaryFunction.log(number))
    }
}
