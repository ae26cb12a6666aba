import CKernels
import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
import TreadleData
@testable import TreadleModel
@testable import TreadleRun

/// The promise over time and over machines: small runs through the whole program give the weights whose digests are
/// committed, whatever CPU, instruction set, number of threads and form of storage.
///
/// Tests/Fixtures/golden.txt says when its digests may be renewed; TREADLE_TEST_GOLDEN=FILE writes new ones to FILE.
@Suite(.serialized) struct GoldenTests {
    struct Run: CustomStringConvertible {
        var name: String
        var data: GoldenData
        var settings: [String]
        var description: String { name }

        init(_ name: String, _ data: GoldenData, _ settings: String...) { self.init(name, data, settings) }

        init(_ name: String, _ data: GoldenData, _ settings: [String]) {
            self.name = name
            self.data = data
            self.settings = settings
        }
    }

    static let runs: [Run] = [
        // Optimizers.
        Run("sgd", .classes, "optimizer.type=sgd", "optimizer.lr=0.1"),
        Run("momentum", .classes, "optimizer.type=sgd", "optimizer.lr=0.05", "optimizer.momentum=0.9"),
        Run(
            "nesterov", .classes, "optimizer.type=sgd", "optimizer.lr=0.05", "optimizer.momentum=0.9",
            "optimizer.nesterov=true", "optimizer.weight_decay=0.001"),
        Run("adam", .classes),
        Run("adamw", .classes, "optimizer.type=adamw", "optimizer.weight_decay=0.05"),
        Run("rmsprop", .classes, "optimizer.type=rmsprop", "optimizer.rho=0.95"),
        Run("adagrad", .classes, "optimizer.type=adagrad", "optimizer.l1=0.0001"),
        Run("clipped", .classes, "optimizer.clip_norm=0.1"),
        Run("accumulated", .classes, "compute.accumulate=3", "data.batch_size=32"),
        Run("clipped and accumulated", .classes, "optimizer.clip_norm=0.05", "compute.accumulate=2"),
        // Losses.
        Run("hinge", .classes, "loss.type=hinge"),
        Run("bce", .labels, "loss.label_smoothing=0.05"),
        Run("hinge of labels", .labels, "loss.type=hinge"),
        Run("mse", .values, "data.normalize_target=standard"),
        Run("mae", .values, "loss.type=mae"),
        Run("huber", .values, "loss.type=huber", "loss.delta=0.7"),
        Run("poisson", .counts, "loss.type=poisson"),
        Run("quantile", .values, "loss.type=quantile", "loss.quantile=0.8"),
        Run("balanced classes", .classes, "loss.class_weight=balanced", "loss.label_smoothing=0.1"),
        Run("weighted classes", .classes, "loss.class_weight=[1, 2, 0.5, 3, 1]"),
        Run("weighted rows", .classes, "data.train.weight=/w"),
        Run("weighted values", .values, "data.train.weight=/w", "optimizer.type=rmsprop"),
        // Activations.
        Run("identity", .classes, hidden("identity")),
        Run("leaky relu", .classes, hidden("leaky_relu")),
        Run("elu", .classes, hidden("elu")),
        Run("gelu", .classes, hidden("gelu")),
        Run("silu", .classes, hidden("silu")),
        Run("sigmoid", .classes, hidden("sigmoid")),
        Run("tanh", .classes, hidden("tanh")),
        Run("softplus", .classes, hidden("softplus")),
        Run("dropout", .classes, hidden("relu", dropout: 0.3)),
        Run("dropout before tanh", .values, hidden("tanh", dropout: 0.5)),
        // Networks and how they begin.
        Run("linear", .classes, "model.hidden=[]"),
        Run("linear, one output", .counts, "model.hidden=[]", "optimizer.type=sgd", "optimizer.lr=0.01"),
        Run("without biases", .classes, "model.bias=false", "model.init=lecun"),
        Run("glorot", .classes, "model.init=glorot", "seed=18446744073709551615"),
        Run("wide", .classes, "model.hidden=[{ units: 520 }, { units: 130 }]", "data.batch_size=32", "stop.epochs=1"),
        Run("narrow", .values, "model.hidden=[{ units: 3 }, { units: 70 }, { units: 1 }]"),
        Run("normal", .classes, "model.init=normal"),
        // Groups of rates, weights divided by √inputs, factors and embeddings.
        Run("rates of biases", .classes, "optimizer.bias_rate=0.1", "optimizer.type=lion", "optimizer.lr=0.001"),
        Run(
            "ntk", .classes, "model.parameterization=ntk", "optimizer.type=adamw", "optimizer.weight_decay=0.02",
            "optimizer.eps=0.001", "model.hidden=[{ units: 24, activation: 'mish' }, { units: 2, activation: 'selu' }]"),
        Run(
            "ntk by momentum", .values, "model.parameterization=ntk", "optimizer.type=sgd", "optimizer.momentum=0.9",
            "optimizer.clip_norm=0.5"),
        Run("scaled inputs", .classes, "model.scale_inputs=true", "optimizer.scale_rate=6"),
        Run("scaled inputs, linear", .counts, "model.scale_inputs=true", "model.hidden=[]"),
        Run("embedded", .values, "model.embedding={}", "optimizer.embedding_rate=0.1"),
        Run("recipe", .values, recipe + ["data.normalize_target=standard"]),
        Run("recipe in float64", .classes, recipe + ["model.precision=float64", "compute.accumulate=2"]),
        Run("recipe in bfloat16", .classes, recipe + ["model.precision=bfloat16", "optimizer.clip_norm=1"]),
        // Order, batches and normalization.
        Run("blocks", .classes, "data.shuffle=block", "data.shuffle_block=16", "data.shuffle_window=3"),
        Run("as stored", .classes, "data.shuffle=none", "data.normalize=minmax"),
        Run("without the short batch", .classes, "data.drop_last=true", "data.normalize=none"),
        Run("scaled", .classes, "data.normalize={ scale: 0.25 }", "data.batch_size=70"),
        Run("four shards", .classes, "compute.shards=4", "data.batch_size=50"),
        Run("two shards by the rule", .classes, "data.batch_size=130"),
        Run(
            "early stopping", .classes, "data.valid={ fraction: 0.25 }", "stop.epochs=8", "optimizer.lr=0.05",
            "stop.early={ metric: 'valid.loss', patience: 1 }"),
        // Schedules.
        Run("steps", .classes, "schedule.type=step", "schedule.step_epochs=1", "schedule.gamma=0.5"),
        Run("exponential", .classes, "schedule.type=exponential", "schedule.gamma=0.7"),
        Run("cosine", .classes, "schedule.type=cosine", "schedule.warmup_steps=4", "schedule.min_lr=0.0001"),
        Run("poly", .classes, "schedule.type=poly", "schedule.power=2"),
        Run("plateau", .classes, "schedule.type=plateau", "schedule.patience=0", "optimizer.lr=0.2", "stop.epochs=5"),
        // Precisions.
        Run("float64", .classes, "model.precision=float64"),
        Run("float64, gelu and dropout", .classes, "model.precision=float64", hidden("gelu", dropout: 0.2)),
        Run("float64, poisson", .counts, "model.precision=float64", "loss.type=poisson", "optimizer.type=adagrad"),
        Run("bfloat16", .classes, "model.precision=bfloat16"),
        Run("bfloat16, momentum", .classes, "model.precision=bfloat16", "optimizer.type=sgd", "optimizer.momentum=0.9"),
        Run("bfloat16, tanh and dropout", .values, "model.precision=bfloat16", hidden("tanh", dropout: 0.25)),
        Run(
            "bfloat16, two shards", .labels, "model.precision=bfloat16", "compute.shards=2", "data.batch_size=100",
            "optimizer.clip_norm=0.1"),
        Run("bfloat16, linear", .counts, "model.precision=bfloat16", "model.hidden=[]", "loss.type=poisson"),
        Run("bfloat16x3", .classes, "model.precision=bfloat16x3"),
        Run(
            "bfloat16x3, momentum", .classes, "model.precision=bfloat16x3", "optimizer.type=sgd",
            "optimizer.momentum=0.9", hidden("relu", dropout: 0.2)),
        Run("bfloat16x3, gelu", .values, "model.precision=bfloat16x3", hidden("gelu"), "compute.accumulate=2"),
        Run(
            "bfloat16x3, two shards", .labels, "model.precision=bfloat16x3", "compute.shards=2", "data.batch_size=100",
            "optimizer.clip_norm=0.1"),
        Run("bfloat16x3, linear", .counts, "model.precision=bfloat16x3", "model.hidden=[]", "loss.type=poisson"),
        Run("recipe in bfloat16x3", .values, recipe + ["model.precision=bfloat16x3"]),
    ]

    private static let recipe = [
        "model.parameterization=ntk", "model.scale_inputs=true",
        "model.embedding={ frequencies: 5, outputs: 2, sigma: 0.5 }", "optimizer.bias_rate=0.1",
        "optimizer.scale_rate=6", "optimizer.embedding_rate=0.2", hidden("mish", dropout: 0.15),
    ]

    private static func hidden(_ activation: String, dropout: Double = 0) -> String {
        "model.hidden=[{ units: 24, activation: '\(activation)', dropout: \(dropout) }, "
            + "{ units: 13, activation: '\(activation)' }]"
    }

    @Test func `every run gives the committed digest with every instruction set and number of threads`() throws {
        let directory = try TemporaryDirectory()
        for data in GoldenData.allCases { try data.write(to: directory) }
        let renewed = ProcessInfo.processInfo.environment["TREADLE_TEST_GOLDEN"]
        let golden = try GoldenDigests.read()
        var found: [(name: String, digest: String)] = []
        for (index, run) in Self.runs.enumerated() {
            // Each set, each number of threads and each form of storage once at least; which meet, the index varies.
            for turn in 0..<max(3, ck_isa.present.count) {
                let set = ck_isa.present[(turn + index) % ck_isa.present.count]
                let (threads, storage) = (turn % 3 + 1, GoldenData.storages[(turn + index / 3) % 2])
                let digest = try train(run, set, threads: threads, storage: storage, in: directory)
                if turn == 0 { found.append((run.name, digest)) }
                let expected = renewed == nil ? golden.digests[run.name] : found.last?.digest
                #expect(digest == expected, "\(run), \(set), \(threads) threads, \(storage)")
            }
        }
        if let renewed { try GoldenDigests.text(found).write(toFile: renewed, atomically: true, encoding: .utf8) }
    }

    @Test func `the committed digests are of this release's numerics, one for each run, and all different`() throws {
        let golden = try GoldenDigests.read()
        #expect(golden.numerics == Treadle.numerics)
        #expect(Set(golden.digests.keys) == Set(Self.runs.map(\.name)))
        #expect(Set(golden.digests.values).count == Self.runs.count)
    }

    private func train(
        _ run: Run, _ set: ck_isa, threads: Int, storage: String, in directory: TemporaryDirectory
    ) throws -> String {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(set)
        let configuration = try Configuration.parse(
            text: """
                { name: "golden", task: "\(run.data.task)", seed: 5, data: { train: { files: ["\(run.data)-\(storage).h5"] },
                  valid: null, batch_size: 64 }, model: { hidden: [{ units: 24 }, { units: 13 }] },
                  optimizer: { lr: 0.01 }, stop: { epochs: 3, early: null }, compute: { threads: \(threads) },
                  checkpoint: { dir: "run", every: { time: null, epochs: null, steps: null }, keep_best: 0 }, retrain: null }
                """, file: run.name, baseDirectory: directory.path, overrides: run.settings)
        var options = Trainer.Options()
        options.fresh = true
        let summary = try Trainer.run(configuration, options: options, observer: SilentObserver())
        return try #require(summary.digest)
    }
}

/// Rows to learn from, drawn by a seed: the same on every machine.
enum GoldenData: String, CaseIterable, CustomStringConvertible {
    case classes, labels, values, counts
    var description: String { rawValue }

    static let storages = ["contiguous", "chunked"]
    private static let (rows, inputs) = (237, 21)

    var task: String {
        switch self {
        case .classes: "classification"
        case .labels: "multilabel"
        case .values, .counts: "regression"
        }
    }

    func write(to directory: TemporaryDirectory) throws {
        var random = SplitMix(seed: UInt64(rawValue.utf8.reduce(0) { $0 + Int($1) }))
        // A quarter of the inputs are zero, and the last column always is.
        var x = (0..<Self.rows * Self.inputs).map { _ -> Float in
            let value = Float.random(in: -2...2, using: &random)
            return Bool.random(using: &random) && Bool.random(using: &random) ? 0 : value
        }
        for row in 0..<Self.rows { x[row * Self.inputs + Self.inputs - 1] = 0 }
        let w = (0..<Self.rows).map { _ in Float.random(in: 0.25...2, using: &random) }
        func column(_ row: Int, _ first: Int) -> Float {
            x[row * Self.inputs + first] - x[row * Self.inputs + first + 1] / 2
        }
        for storage in Self.storages {
            var options = DatasetOptions.contiguous
            if storage == "chunked" { options = DatasetOptions(chunk: [40, Self.inputs], deflate: 4, shuffle: true) }
            let file = try H5File.create(directory.file("\(self)-\(storage).h5"))
            try file.write(x, to: "x", shape: [Self.rows, Self.inputs], options: options)
            try file.write(w, to: "w")
            switch self {
            case .classes:
                let y = (0..<Self.rows).map { row in (0..<5).max { column(row, $0) < column(row, $1) } ?? 0 }
                try file.write(y, to: "y")
            case .labels:
                let y: [UInt8] = (0..<Self.rows * 4).map { column($0 / 4, $0 % 4) > 0.5 ? 1 : 0 }
                try file.write(y, to: "y", shape: [Self.rows, 4])
            case .values:
                let y = (0..<Self.rows * 2).map { column($0 / 2, $0 % 2) * column($0 / 2, 7) }
                try file.write(y, to: "y", shape: [Self.rows, 2])
            case .counts:
                let y = (0..<Self.rows).map { max(0, Int(column($0, 3) * 2)) }
                try file.write(y, to: "y")
            }
            try file.flush()
        }
    }
}

/// Tests/Fixtures/golden.txt: a header, the numerics, and a line for each run.
struct GoldenDigests {
    var numerics: Int?
    var digests: [String: String] = [:]

    static func read() throws -> GoldenDigests {
        var golden = GoldenDigests()
        let text = try String(contentsOfFile: Fixture.path("golden.txt"), encoding: .utf8)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            if words.count == 2, words[0] == "numerics" {
                golden.numerics = Int(words[1])
            } else if words.count == 2 {
                golden.digests[words[1]] = words[0]
            }
        }
        return golden
    }

    static func text(_ found: [(name: String, digest: String)]) -> String {
        """
        # Digests of the weights that the runs of GoldenTests.swift train: what `treadle inspect --digest` prints.
        #
        # They are the same on every machine and do not change by themselves. A run may get another digest only where a
        # change of the numerics contract is meant: then raise Treadle.numerics, say in the article Numerics what changed,
        # and renew them, from a release build, with
        #
        #   TREADLE_TEST_GOLDEN=$PWD/Tests/Fixtures/golden.txt Scripts/test GoldenTests
        #
        # A run that is new in the list gets its line in the same way; the other lines must stay what they are.
        numerics \(Treadle.numerics)
        """ + "\n" + found.map { "\($0.digest) \($0.name)\n" }.joined()
    }
}
