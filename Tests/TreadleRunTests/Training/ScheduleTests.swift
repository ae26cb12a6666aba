import Foundation
import Testing
@testable import TreadleConfiguration
@testable import TreadleEngine
@testable import TreadleRun
import TestSupport

/// Step, exponential, cosine and poly are also held against PyTorch's in TrainingFixtureTests.
@Suite struct ScheduleTests {
    static func schedule(
        _ type: ScheduleType, warmup: Int = 0, gamma: Double = 0.5, epochs: Int = 2, floor: Double = 0.01,
        power: Double = 2, cycles: Int = 4, patience: Int = 2
    ) -> Schedule {
        Schedule(
            ScheduleConfiguration(
                type: type, warmupSteps: warmup, gamma: gamma, stepEpochs: epochs, minLr: floor, power: power,
                cycles: cycles, patience: patience))
    }

    static func rate(_ schedule: Schedule, _ step: Int, epoch: Int = 0, scale: Double = 1) -> Double {
        var progress = TrainingProgress()
        progress.rateScale = scale
        return schedule.rate(from: 0.1, step: step, epoch: epoch, totalSteps: 100, progress: progress)
    }

    @Test func `the rate rises in equal steps while warming up`() {
        let constant = Self.schedule(.constant, warmup: 4)
        #expect((0..<6).map { Self.rate(constant, $0) } == [0.025, 0.05, 0.1 * 0.75, 0.1, 0.1, 0.1])
    }

    @Test func `step and exponential multiply at the ends of epochs`() {
        #expect((0..<6).map { Self.rate(Self.schedule(.step), 0, epoch: $0) } == [0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
        #expect((0..<4).map { Self.rate(Self.schedule(.exponential), 0, epoch: $0) } == [0.1, 0.05, 0.025, 0.0125])
    }

    @Test(arguments: [0, 20])
    func `cosine and poly run from the full rate to the lowest, and stay there`(warmup: Int) {
        for (type, power) in [(ScheduleType.cosine, 1.0), (.poly, 2), (.poly, 0.7)] {
            let schedule = Self.schedule(type, warmup: warmup, power: power)
            #expect(Self.rate(schedule, warmup) == 0.1)
            #expect(abs(Self.rate(schedule, 100) - 0.01) < 1e-16)
            #expect(Self.rate(schedule, 1000) == Self.rate(schedule, 100))
            for step in warmup..<100 {
                let share = Double(step - warmup) / Double(100 - warmup)
                let expected = type == .cosine ? 0.5 + 0.5 * cos(.pi * share) : pow(1 - share, power)
                #expect(abs(Self.rate(schedule, step) - (0.01 + 0.09 * expected)) < 1e-15)
                #expect(Self.rate(schedule, step + 1) < Self.rate(schedule, step))
            }
        }
    }

    @Test(arguments: [0, 20])
    func `linear, flat and wavy curves are their formulas, from the end of the warm-up to the lowest rate`(warmup: Int)
    {
        func half(_ t: Double) -> Double { max(0, 2 * t - 1) }
        let curves: [(ScheduleType, Int, (Double) -> Double)] = [
            (.linear, 4, { 1 - $0 }), (.flatLinear, 4, { 1 - half($0) }),
            (.flatCosine, 4, { 0.5 + 0.5 * cos(.pi * half($0)) }),
            (.coslog, 4, { 0.5 - 0.5 * cos(2 * .pi * log2(1 + 15 * $0)) }),
            (.coslog, 1, { 0.5 - 0.5 * cos(2 * .pi * log2(1 + $0)) }),
        ]
        for (type, cycles, curve) in curves {
            let schedule = Self.schedule(type, warmup: warmup, cycles: cycles)
            for step in warmup...100 {
                let expected = 0.01 + 0.09 * curve(Double(step - warmup) / Double(100 - warmup))
                #expect(abs(Self.rate(schedule, step) - expected) < 1e-14, "\(type) at \(step)")
            }
            #expect(abs(Self.rate(schedule, 1000) - 0.01) < 1e-14)
        }
    }

    @Test func `weight decay stays, falls in the second half, or goes with the rate`() {
        func decay(_ schedule: DecaySchedule, _ step: Int, rate: Double = 0.1) -> Double {
            var optimizer = OptimizerConfiguration.plain(.adamw, lr: 0.1, weightDecay: 0.5)
            optimizer.decaySchedule = schedule
            return Self.schedule(.cosine).decay(of: optimizer, step: step, totalSteps: 100, rate: rate)
        }
        #expect([0, 30, 100].map { decay(.constant, $0, rate: 0.01) } == [1, 1, 1])
        #expect([0, 30, 50].map { decay(.flatCosine, $0, rate: 0.01) } == [1, 1, 1])
        #expect(abs(decay(.flatCosine, 75) - 0.5) < 1e-15 && abs(decay(.flatCosine, 100)) < 1e-15)
        #expect([0.1, 0.05, 0.0].map { decay(.rate, 40, rate: $0) } == [1, 0.5, 0])
    }

    @Test func `a decay that is halved pulls half as hard`() {
        // One decoupled step without a gradient is w · (1 − rate · λ · decay).
        var scalars = OptimizerScalars(.plain(.adamw, lr: 0.1, weightDecay: 0.5))
        #expect(scalars.next(rate: 0.1, decay: 0.5).weight_decay == 0.25)
        #expect(scalars.next(rate: 0.1).weight_decay == 0.5)
    }

    @Test func `a plateau halves the rate after its patience, down to the lowest rate`() {
        let schedule = Self.schedule(.plateau)
        var progress = TrainingProgress()
        var scales: [Double] = []
        for metric in [3, 2, 2, 2.5, 1, 1, 1, 1, 1, 1, 1, 1, 1] {
            schedule.finishEpoch(metric: metric, higherIsBetter: false, lr: 0.1, progress: &progress)
            scales.append(progress.rateScale)
        }
        let lowest = 0.01 / 0.1
        #expect(scales == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, lowest, lowest, lowest])
        #expect(progress.plateauBest == 1)
    }

    @Test func `a plateau of a metric that should rise waits for a larger one`() {
        let schedule = Self.schedule(.plateau, patience: 1)
        var progress = TrainingProgress()
        for metric in [0.5, 0.6, 0.7] {
            schedule.finishEpoch(metric: metric, higherIsBetter: true, lr: 0.1, progress: &progress)
        }
        #expect(progress.rateScale == 1)
        schedule.finishEpoch(metric: 0.65, higherIsBetter: true, lr: 0.1, progress: &progress)
        #expect(progress.rateScale == 0.5)
        // What is not a number is no progress.
        schedule.finishEpoch(metric: .nan, higherIsBetter: true, lr: 0.1, progress: &progress)
        #expect(progress.rateScale == 0.25 && progress.plateauBest == 0.7)
    }

    @Test func `what rollbacks multiplied the rate by stays, also below a plateau's lowest rate`() {
        #expect(Self.rate(Self.schedule(.constant), 5, scale: 0.5) == 0.05)
        let schedule = Self.schedule(.plateau, patience: 1)
        var progress = TrainingProgress()
        (progress.rateScale, progress.plateauBest) = (0.01, 0)
        schedule.finishEpoch(metric: 1, higherIsBetter: false, lr: 0.1, progress: &progress)
        #expect(progress.rateScale == 0.01)
    }
}
