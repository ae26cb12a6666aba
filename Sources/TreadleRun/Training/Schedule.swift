internal import CKernels
internal import TreadleBase
package import TreadleConfiguration

/// How the learning rate moves: a pure function of the update's number and of what training remembers.
package struct Schedule: Equatable, Sendable {
    private let configuration: ScheduleConfiguration
    private let base: Double

    /// `rate` is the optimizer's `lr`.
    package init(_ configuration: ScheduleConfiguration, rate: Double) {
        self.configuration = configuration
        base = rate
    }

    /// The rate of update number `step` (from 0), which belongs to `epoch` (from 0).
    ///
    /// The first `warmup_steps` updates rise in equal steps to the full rate, whatever else the schedule does.
    /// `step` multiplies by gamma after every `step_epochs` epochs, `exponential` after each. `cosine` and `poly` run
    /// from the end of the warm-up to `totalSteps`, where they reach `min_lr` and stay. What plateaus and rollbacks
    /// have multiplied the rate by comes on top.
    package func rate(step: Int, epoch: Int, totalSteps: Int, progress: TrainingProgress) -> Double {
        let floor = configuration.minLr
        let rate =
            switch configuration.type {
            case .constant, .plateau: base
            case .step: base * power(configuration.gamma, epoch / max(configuration.stepEpochs, 1))
            case .exponential: base * power(configuration.gamma, epoch)
            case .cosine: floor + (base - floor) * (0.5 + 0.5 * ck_cospi(share(of: step, totalSteps)))
            case .poly: floor + (base - floor) * power(1 - share(of: step, totalSteps), configuration.power)
            }
        return rate * warmth(step) * progress.rateScale
    }

    /// Takes note of an epoch's watched metric: `plateau` multiplies the rate by gamma after `patience` epochs in a row
    /// without a new best, and counts anew.
    package func finishEpoch(metric: Double, higherIsBetter: Bool, progress: inout TrainingProgress) {
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
        let lowest = min(progress.rateScale, base > 0 ? configuration.minLr / base : 0)
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
