import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel
@testable import TreadleRun

/// Networks of several members, and folds.
@Suite(.serialized) struct MembersTests {
    private let directory: TemporaryDirectory
    private static let (rows, inputs) = (150, 5)

    init() throws {
        directory = try TemporaryDirectory()
        var random = SplitMix(seed: 4)
        let x = (0..<Self.rows * Self.inputs).map { _ in Float.random(in: -2...2, using: &random) }
        let file = try H5File.create(directory.file("d.h5"))
        try file.write(x, to: "x", shape: [Self.rows, Self.inputs])
        let values = (0..<Self.rows).map { x[$0 * Self.inputs] * 2 - x[$0 * Self.inputs + 1] * x[$0 * Self.inputs + 2] }
        try file.write(values, to: "y")
        try file.write(values.map { $0 > 1 ? 2 : $0 > -1 ? 1 : 0 as Int }, to: "c")
        try file.flush()
    }

    private func configuration(_ settings: String...) throws -> Configuration {
        try Configuration.parse(
            text: """
                { name: "many", task: "regression", seed: 9, data: { train: { files: ["d.h5"] }, valid: null,
                  batch_size: 16 }, model: { hidden: [{ units: 8, activation: "tanh", dropout: 0.2 }], members: 3 },
                  optimizer: { lr: 0.01 }, stop: { epochs: 3, early: null }, compute: { threads: 2 },
                  checkpoint: { dir: "run", every: { time: null, epochs: null, steps: null } }, retrain: null }
                """, file: "job", baseDirectory: directory.path, overrides: settings)
    }

    private func train(_ configuration: Configuration, fresh: Bool = true) throws -> (summary: RunSummary, Checkpoint) {
        var options = Trainer.Options()
        options.fresh = fresh
        let summary = try Trainer.run(configuration, options: options, observer: SilentObserver())
        return (summary, try CheckpointFile.read(try #require(summary.checkpoint)))
    }

    @Test(arguments: ["float32", "float64", "bfloat16", "bfloat16x3"])
    func `a member is trained as a run with its seed is, whatever the others and the threads`(precision: String) throws
    {
        let settings = ["data.shuffle=none", "model.precision=\(precision)", "compute.accumulate=2"]
        for threads in [1, 2, 3] {
            var many = try configuration()
            many = try configuration(settings[0], settings[1], settings[2], "compute.threads=\(threads)")
            let (_, ensemble) = try train(many)
            #expect(ensemble.network.members == 3)
            for (number, member) in many.members.enumerated() {
                let (_, one) = try train(
                    try configuration(settings[0], settings[1], settings[2], "model.members=1", "seed=\(member.seed)"))
                let own = Array(ensemble.parameters[ensemble.network.layers(of: number)])
                #expect(own.digest == one.parameters.digest, "member \(number + 1) on \(threads) threads")
            }
            #expect(many.members[0].seed == 9 && Set(many.members.map(\.seed)).count == 3)
        }
    }

    @Test func `with folds, threads and interruptions change no bit`() throws {
        let settings = [
            "data.valid={ folds: 3 }", "stop.epochs=6", "stop.early={ patience: 2 }", "optimizer.lr=0.1",
            "model.members=6",
        ]
        func job(_ more: String) throws -> Configuration {
            try configuration(settings[0], settings[1], settings[2], settings[3], settings[4], more)
        }
        let (whole, reference) = try train(job("compute.threads=1"))
        for threads in [2, 3, 4] {
            #expect(try train(job("compute.threads=\(threads)")).summary.digest == whole.digest, "\(threads) threads")
        }
        // In the middle of epochs and at their ends.
        for steps in [3, 10, 23, 40] {
            _ = try train(job("stop.steps=\(steps)"))
            let (summary, found) = try train(job("compute.threads=2"), fresh: false)
            #expect(summary.digest == whole.digest, "stopped after \(steps) steps")
            #expect(found.progress.members == reference.progress.members)
        }
        #expect(reference.progress.members.count == 6)
        #expect(reference.progress.members.allSatisfy { $0.epoch != nil })
    }

    @Test func `out-of-fold metrics are those of members that have not seen the row, computed by hand`() throws {
        let job = try configuration(
            "data.valid={ folds: 3 }", "model.members=6", "model.hidden=[]", "stop.epochs=1",
            "metrics=[\"rmse\", \"mae\"]")
        let (_, checkpoint) = try train(job)
        let file = try H5File.open(directory.file("d.h5"))
        let x: [Float] = try file.dataset("x").read()
        let y: [Float] = try file.dataset("y").read()
        let folds = Folds(count: 3, seed: 9)
        var (squares, sizes) = (0.0, 0.0)
        for row in 0..<Self.rows {
            let fold = folds.fold(of: row)
            let answers = [fold, fold + 3].map { member -> Double in
                let layer = checkpoint.parameters[member]
                let weight = Double.values(of: layer.weight)
                let inputs = (0..<Self.inputs).map { column in
                    (Double(x[row * Self.inputs + column]) - checkpoint.normalization.shift[column])
                        * checkpoint.normalization.factor[column]
                }
                return zip(weight, inputs).reduce(Double.values(of: layer.bias!)[0]) { $0 + $1.0 * $1.1 }
            }
            let error = (answers[0] + answers[1]) / 2 - Double(y[row])
            squares += error * error
            sizes += abs(error)
        }
        let metrics = try #require(checkpoint.history.last?.metrics)
        let count = Double(Self.rows)
        #expect(abs(metrics["valid.rmse", default: .nan] - (squares / count).squareRoot()) < 1e-5)
        #expect(abs(metrics["valid.mae", default: .nan] - sizes / count) < 1e-5)
        #expect(abs(metrics["valid.loss", default: .nan] - squares / count) < 1e-4)
        // Every member has its fold, and no fold is empty.
        #expect(Set((0..<Self.rows).map { folds.fold(of: $0) }) == [0, 1, 2])
    }

    @Test func `a member keeps the weights of its own best epoch, and the final model holds them`() throws {
        // The rate is too high to get better steadily, so that members differ in their best epochs.
        let settings = ["data.valid={ folds: 3 }", "optimizer.lr=0.3", "optimizer.type=sgd", "stop.epochs=7"]
        let (_, best) = try train(
            try configuration(settings[0], settings[1], settings[2], settings[3], "stop.early={ patience: 100 }"))
        let epochs = try best.progress.members.map { try #require($0.epoch) }
        for (member, epoch) in epochs.enumerated() {
            let (_, then) = try train(
                try configuration(settings[0], settings[1], settings[2], "stop.epochs=\(epoch)"))
            let own = best.network.layers(of: member)
            #expect(
                Array(best.parameters[own]) == Array(then.parameters[own]), "member \(member + 1) of epoch \(epoch)")
        }
        #expect(!best.optimizer.slots.contains { $0.name == "best" })
    }

    @Test(arguments: [LearningTask.classification, .multilabel, .regression])
    func `predictions are the mean of the members' after the link, and losses those of the mean`(task: LearningTask) {
        var numbers = SplitMix(seed: 3)
        let width = 4
        let type: LossType = task == .classification ? .crossEntropy : task == .multilabel ? .bce : .mse
        let loss = LossFunction(
            type: type, outputs: width, link: type.traits.link(for: task))
        let single = Network(
            inputs: 3,
            layers: [
                Layer(name: "dense", inputs: 3, units: width, activation: .identity, dropout: 0, hasBias: true)
            ], precision: .float64)
        let network = Network(members: [single, single, single])
        let parameters = (0..<3).map { _ in
            LayerParameters(
                name: "dense",
                weight: Double.tensor((0..<12).map { _ in .random(in: -1...1, using: &numbers) }, shape: [3, width]),
                bias: Double.tensor((0..<width).map { _ in .random(in: -1...1, using: &numbers) }, shape: [width]))
        }
        let rows = 37
        let x = (0..<rows * 3).map { _ in Double.random(in: -2...2, using: &numbers) }
        let classes = (0..<rows).map { Int32($0 % width) }
        let values = (0..<rows * width).map { Double($0 * 7 % 3 == 0 ? 1 : 0) }
        let pass = EnsemblePass<Double>(
            network: network, parameters: parameters, loss: loss, maxRows: rows, workers: Workers(count: 2))
        let (mean, sums, spread): ([Double], StepResult, [Double]) = x.withUnsafeBufferPointer { x in
            let pointers = (0..<rows).map { x.baseAddress! + $0 * 3 }
            return pointers.withUnsafeBufferPointer { pointers in
                classes.withUnsafeBufferPointer { classes in
                    values.withUnsafeBufferPointer { values in
                        let targets: Targets<Double> =
                            task == .classification ? .classes(classes.baseAddress!) : .values(values.baseAddress!)
                        let result = pass.run(
                            Batch(rows: rows, x: pointers.baseAddress!, targets: targets, weights: nil))
                        let count = rows * width
                        return (
                            Array(UnsafeBufferPointer(start: result, count: count)), pass.rowSums,
                            (0..<count).map { pass.spread($0) }
                        )
                    }
                }
            }
        }
        var expectedLoss = 0.0
        for row in 0..<rows {
            let answers = parameters.map { layer -> [Double] in
                let weight = Double.values(of: layer.weight)
                let bias = Double.values(of: layer.bias!)
                let outputs = (0..<width).map { k in
                    bias[k] + (0..<3).reduce(0) { $0 + x[row * 3 + $1] * weight[$1 * width + k] }
                }
                switch task {
                case .classification:
                    let all = outputs.map { exp($0) }
                    return all.map { $0 / all.reduce(0, +) }
                case .multilabel: return outputs.map { 1 / (1 + exp(-$0)) }
                case .regression: return outputs
                }
            }
            for k in 0..<width {
                let those = answers.map { $0[k] }
                let average = those.reduce(0, +) / 3
                let deviation = (those.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 3).squareRoot()
                #expect(abs(mean[row * width + k] - average) < 1e-14)
                #expect(abs(spread[row * width + k] - deviation) < 1e-7)
                let target = values[row * width + k]
                switch task {
                case .classification: expectedLoss -= k == Int(classes[row]) ? log(average) : 0
                case .multilabel: expectedLoss -= (target == 1 ? log(average) : log(1 - average)) / Double(width)
                case .regression: expectedLoss += (average - target) * (average - target) / Double(width)
                }
            }
        }
        #expect(abs(sums.lossSum - expectedLoss) < 1e-9 * max(1, abs(expectedLoss)))
        #expect(sums.weightSum == Double(rows))

        // The library's way gives the same, rounded to Float.
        let predictor = RowPredictor(network: network, parameters: parameters, loss: loss, normalization: .none)
        var answers = [Float](repeating: 0, count: rows * width)
        let failed = x.withUnsafeBytes { x in
            answers.withUnsafeMutableBufferPointer {
                predictor.predict(
                    x.baseAddress!, .double, count: rows, into: $0.baseAddress!, classes: nil,
                    workers: Workers(count: 2))
            }
        }
        #expect(failed == nil && answers == mean.map { Float($0) })
    }

    @Test func `what members vary is drawn from their seeds within the bounds, and trained with`() throws {
        let job = try configuration(
            "model.members=40",
            "model.vary={ lr: [0.001, 0.1], units: [20, 200], dropout: [0, 0.4], weight_decay: [0.0001, 0.01] }")
        let members = job.members
        #expect(members == job.members)
        for member in members {
            #expect((0.001...0.1).contains(member.optimizer.lr))
            #expect((0.0001...0.01).contains(member.optimizer.weightDecay))
            #expect(member.model.hidden[0].units % 16 == 0 && (32...192).contains(member.model.hidden[0].units))
            #expect((0...0.4).contains(member.model.hidden[0].dropout))
        }
        // By the logarithm, half of the rates are below the geometric mean of the bounds.
        let low = members.filter { $0.optimizer.lr < 0.01 }.count
        #expect((10...30).contains(low) && Set(members.map(\.optimizer.lr)).count == 40)
        let few = try configuration("model.vary={ lr: [0.001, 0.1], units: [16, 64] }", "stop.epochs=1")
        let (_, trained) = try train(few)
        #expect(
            (0..<3).map { trained.network.member($0).layers[0].units } == few.members.map { $0.model.hidden[0].units })
    }

    @Test func `what does not go together is said`() {
        for (settings, message) in [
            (
                ["data.valid={ folds: 2 }"],
                "data.valid.folds is 2, and model.members 3: each member leaves out one fold"
            ),
            (["model.members=1", "model.vary={ lr: [0.1, 0.2] }"], "model.vary tells members apart"),
            (["model.vary={ lr: [0.2, 0.1] }"], "model.vary.lr must be two numbers above 0 such as [0.001, 0.01]"),
            (["data.valid={ folds: 3, fraction: 0.1 }"], "data.valid takes folds of the training rows or other rows"),
        ] {
            let error = #expect(throws: TreadleError.self) {
                try Configuration.parse(
                    text: #"{ name: "a", data: { train: "d.h5" }, model: { hidden: [], members: 3 } }"#, file: "job",
                    baseDirectory: "/", overrides: settings)
            }
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
    }
}
