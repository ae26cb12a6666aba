import Foundation
import Testing
import TreadleBase
import TreadleConfiguration
import TreadleModel

/// Configurations of the tests: short, whole, and as errors see them.
enum Job {
    static let short = #"{ name: "churn", data: { train: "train.h5" }, model: { hidden: [] } }"#

    static func parse(
        _ text: String, set overrides: [String] = [], environment: [String: String] = [:]
    ) throws -> Configuration {
        try Configuration.parse(
            text: text, file: "job.json5", baseDirectory: "/base", overrides: overrides, environment: environment)
    }

    /// The short configuration with some settings.
    static func with(_ overrides: String...) throws -> Configuration {
        try parse(short, set: overrides)
    }

    /// What is wrong with a configuration, line by line; nothing if it is right.
    static func errors(
        _ text: String, set overrides: [String] = [], environment: [String: String] = [:]
    ) -> [String] {
        do {
            _ = try parse(text, set: overrides, environment: environment)
            return []
        } catch {
            guard let error = error as? TreadleError, error.kind == .configuration else { return ["not one: \(error)"] }
            return error.messages
        }
    }
}

@Suite struct ConfigurationReadingTests {
    @Test func `a short configuration takes every default`() throws {
        let job = try Job.parse(Job.short)
        #expect(job.schema == 1)
        #expect(job.name == "churn")
        #expect(job.task == .classification)
        #expect(job.seed == 0)
        #expect(job.data.train.files == ["train.h5"])
        #expect(job.data.train.x == "/x")
        #expect(job.data.train.y == "/y")
        #expect(job.data.train.weight == nil)
        #expect(job.data.train.rows == nil)
        #expect(job.data.valid == .fraction(0.1))
        #expect(job.data.test == nil)
        #expect(job.data.batchSize == 256)
        #expect(job.data.dropLast == false)
        #expect(job.data.shuffle == .full)
        #expect(job.data.shuffleBlock == 4096)
        #expect(job.data.shuffleWindow == 16)
        #expect(job.data.access == .auto)
        #expect(job.data.memoryLimit == .share(0.25))
        #expect(job.data.prefetch == 4)
        #expect(job.data.normalize == .standard)
        #expect(job.data.normalizeTarget == .none)
        #expect(job.data.nonFinite == .error)
        #expect(job.data.allowExternal == false)
        #expect(job.data.allowUnstored == false)
        #expect(job.data.filters.isEmpty)
        #expect(job.model.hidden.isEmpty)
        #expect(job.model.bias)
        #expect(job.model.initializer == .auto)
        #expect(job.model.precision == .float32)
        #expect(job.loss.type == .automatic)
        #expect(job.loss.classWeight == nil)
        #expect(job.loss.labelSmoothing == 0)
        #expect(job.loss.delta == 1)
        #expect(job.loss.quantile == 0.5)
        #expect(job.optimizer.type == .adam)
        #expect(job.optimizer.lr == 1e-3)
        #expect(job.optimizer.momentum == 0)
        #expect(job.optimizer.nesterov == false)
        #expect(job.optimizer.beta1 == 0.9)
        #expect(job.optimizer.beta2 == 0.999)
        #expect(job.optimizer.rho == 0.99)
        #expect(job.optimizer.eps == 1e-8)
        #expect(job.optimizer.weightDecay == 0)
        #expect(job.optimizer.l1 == 0)
        #expect(job.optimizer.clipNorm == nil)
        #expect(job.schedule.type == .constant)
        #expect(job.schedule.warmupSteps == 0)
        #expect(job.stop.epochs == 20)
        #expect(job.stop.steps == nil)
        #expect(job.stop.wallTime == nil)
        #expect(job.stop.onNaN == .stop)
        #expect(job.stop.maxRollbacks == 3)
        #expect(job.stop.rollbackFactor == 0.5)
        #expect(job.stop.early?.metric == "valid.loss")
        #expect(job.stop.early?.patience == 5)
        #expect(job.stop.early?.minDelta == 0)
        #expect(job.stop.early?.restoreBest == true)
        #expect(job.compute.threads == .automatic)
        #expect(job.compute.shards == .automatic)
        #expect(job.compute.accumulate == 1)
        #expect(job.compute.rankTimeout == .seconds(300))
        #expect(job.compute.audit == nil)
        #expect(job.metrics == [.accuracy])
        #expect(job.checkpoint.dir == "runs/churn")
        #expect(job.checkpoint.every.time == .seconds(600))
        #expect(job.checkpoint.every.epochs == 1)
        #expect(job.checkpoint.every.steps == nil)
        #expect(job.checkpoint.keepLast == 3)
        #expect(job.checkpoint.keepBest == 1)
        #expect(job.checkpoint.minFree == .automatic)
        #expect(job.checkpoint.onError == .proceed)
        #expect(job.log.level == .info)
        #expect(job.log.every == .seconds(10))
        #expect(job.log.metrics == "metrics.jsonl")
        #expect(job.log.tensorboard == false)
        #expect(job.log.prometheus == nil)
        #expect(job.retrain?.when == .dataChanged)
        #expect(job.retrain?.start == .warm)
        #expect(job.retrain?.lock == .skip)
        #expect(job.retrain?.promote?.to == "models/churn.h5")
        #expect(job.retrain?.promote?.metric == "valid.loss")
        #expect(job.retrain?.promote?.tolerance == .absolute(0))
        #expect(job.retrain?.promote?.keep == 3)
        #expect(job.retrain?.promote?.hook == nil)
        #expect(job.retrain?.promote?.maxDrift == nil)
        #expect(job.retrain?.promote?.warnDrift == 1)
        #expect(job.retrain?.promote?.confidence == nil)
        #expect(job.baseDirectory == "/base")
    }

    @Test func `the configuration with every default written out means the same as the short one`() throws {
        let written = """
            // A comment before.
            { schema: 1, name: "churn", task: "classification",
              seed: 0,
              data: {
                train: { files: ["train.h5"], x: "/x", y: "/y", weight: null, rows: null },
                valid: { fraction: 0.1 },          /* a share of the training rows */
                test: null,
                batch_size: 256, drop_last: false,
                shuffle: "full",
                shuffle_block: 4096, shuffle_window: 16,
                access: "auto",
                memory_limit: "25%", prefetch: 4,
                normalize: "standard",
                normalize_target: "none",
                non_finite: "error",
                allow_external: false, allow_unstored: false },
              model: { hidden: [], bias: true, init: "auto", precision: "float32", parameterization: "standard",
                       scale_inputs: false, embedding: null },
              loss: { type: "auto", class_weight: null, label_smoothing: 0.0 },
              optimizer: { type: "adam", lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8,
                           weight_decay: 0.0, l1: 0.0, clip_norm: null, bias_rate: 1, scale_rate: 1, embedding_rate: 1 },
              schedule: { type: "constant", warmup_steps: 0 },
              stop: { epochs: 20, steps: null, wall_time: null, on_nan: "stop",
                      early: { metric: "valid.loss", patience: 5, min_delta: 0.0, restore_best: true } },
              compute: { threads: "auto", shards: "auto", accumulate: 1 },
              metrics: ["accuracy"],
              checkpoint: { dir: "runs/churn", every: { time: "10m", epochs: 1, steps: null },
                            keep_last: 3, keep_best: 1, min_free: "auto" },
              log: { level: "info", every: "10s", metrics: "metrics.jsonl", tensorboard: false, prometheus: null },
              retrain: { when: "data-changed",
                         start: "warm",
                         lock: "skip",
                         promote: { to: "models/churn.h5", metric: "valid.loss", tolerance: 0.0, keep: 3, hook: null, },
              },
            }
            """
        #expect(try Job.parse(written) == Job.parse(Job.short))
    }

    @Test func `every value that is not the default is read`() throws {
        let job = try Job.parse(
            """
            { schema: 1, name: "all", task: "regression", seed: 18446744073709551615,
              data: {
                train: { files: ["a.h5", "b-*.h5"], x: "/in", y: "/out", weight: "/w", rows: [10, 90] },
                valid: { files: "v.h5", rows: 7 }, test: ["t.h5"],
                batch_size: 32, drop_last: true, shuffle: "block", shuffle_block: 8, shuffle_window: 2,
                access: "chunks", memory_limit: "300MB", prefetch: 2, normalize: { scale: 0.5 },
                normalize_target: "standard", non_finite: "drop_row", allow_external: true,
                allow_unstored: true, filters: ["32015", "lzf"] },
              model: { hidden: [ { units: 3, activation: "leaky_relu", dropout: 0.25 }, { units: 2 } ],
                       bias: false, init: "lecun", precision: "float64", parameterization: "ntk", scale_inputs: true,
                       embedding: { type: "periodic", frequencies: 7, outputs: 2, sigma: 0.5 } },
              loss: { type: "huber", delta: 2.5 },
              optimizer: { type: "sgd", lr: 0.5, momentum: 0.9, nesterov: true, weight_decay: 1e-4, l1: 1e-5,
                           clip_norm: 1, scale_rate: 6, embedding_rate: 0.1 },
              schedule: { type: "poly", warmup_steps: 10, min_lr: 1e-5, power: 2 },
              stop: { epochs: 3, steps: 1000, wall_time: "1h30m", on_nan: "rollback", max_rollbacks: 5,
                      rollback_factor: 0.1,
                      early: { metric: "valid.r2", patience: 0, min_delta: 0.01, restore_best: false } },
              compute: { threads: 2, shards: 4, accumulate: 3, audit: "2h", rank_timeout: 30 },
              metrics: ["r2", "mae"],
              checkpoint: { dir: "out", every: { time: null, epochs: null, steps: 50 }, keep_last: 1, keep_best: 0,
                            min_free: "2GiB", on_error: "stop" },
              log: { level: "debug", every: "500ms", metrics: "m.jsonl", tensorboard: true, prometheus: "t.prom" },
              retrain: { when: "always", start: "cold", lock: "wait",
                         promote: { to: "best.h5", metric: "valid.mae", tolerance: "2%", keep: 0, hook: "make serve",
                                    confidence: 0.9, warn_drift: 0.5, max_drift: 3 } } }
            """)
        #expect(job.name == "all")
        #expect(job.task == .regression)
        #expect(job.seed == .max)
        #expect(job.data.train.files == ["a.h5", "b-*.h5"])
        #expect(job.data.train.x == "/in")
        #expect(job.data.train.y == "/out")
        #expect(job.data.train.weight == "/w")
        #expect(job.data.train.rows == 10..<90)
        guard case .source(let valid) = job.data.valid else {
            Issue.record("validation rows come from files here")
            return
        }
        #expect(valid.files == ["v.h5"])
        #expect(valid.rows == 0..<7)
        #expect(job.data.test?.dataSource?.files == ["t.h5"])
        #expect(job.data.batchSize == 32)
        #expect(job.data.dropLast)
        #expect(job.data.shuffle == .block)
        #expect(job.data.shuffleBlock == 8)
        #expect(job.data.shuffleWindow == 2)
        #expect(job.data.access == .chunks)
        #expect(job.data.memoryLimit == .bytes(300_000_000))
        #expect(job.data.prefetch == 2)
        #expect(job.data.normalize == .scale(0.5))
        #expect(job.data.normalizeTarget == .standard)
        #expect(job.data.nonFinite == .dropRow)
        #expect(job.data.allowExternal)
        #expect(job.data.allowUnstored)
        #expect(job.data.filters == ["32015", "lzf"])
        #expect(job.model.hidden.map(\.units) == [3, 2])
        #expect(job.model.hidden.map(\.activation) == [.leakyRelu, .relu])
        #expect(job.model.hidden.map(\.dropout) == [0.25, 0])
        #expect(job.model.bias == false)
        #expect(job.model.initializer == .lecun)
        #expect(job.model.precision == .float64)
        #expect(job.model.parameterization == .ntk)
        #expect(job.model.scaleInputs)
        #expect(
            job.model.embedding
                == EmbeddingConfiguration(type: .periodic, frequencies: 7, outputs: 2, sigma: 0.5))
        #expect(job.loss.type == .value(.huber))
        #expect(job.loss.delta == 2.5)
        #expect(job.optimizer.type == .sgd)
        #expect(job.optimizer.lr == 0.5)
        #expect(job.optimizer.momentum == 0.9)
        #expect(job.optimizer.nesterov)
        #expect(job.optimizer.weightDecay == 1e-4)
        #expect(job.optimizer.l1 == 1e-5)
        #expect(job.optimizer.clipNorm == 1)
        #expect(job.optimizer.biasRate == 1)
        #expect(job.optimizer.scaleRate == 6)
        #expect(job.optimizer.embeddingRate == 0.1)
        #expect(job.schedule.type == .poly)
        #expect(job.schedule.warmupSteps == 10)
        #expect(job.schedule.minLr == 1e-5)
        #expect(job.schedule.power == 2)
        #expect(job.stop.epochs == 3)
        #expect(job.stop.steps == 1000)
        #expect(job.stop.wallTime == .seconds(5400))
        #expect(job.stop.onNaN == .rollback)
        #expect(job.stop.maxRollbacks == 5)
        #expect(job.stop.rollbackFactor == 0.1)
        #expect(job.stop.early?.metric == "valid.r2")
        #expect(job.stop.early?.patience == 0)
        #expect(job.stop.early?.minDelta == 0.01)
        #expect(job.stop.early?.restoreBest == false)
        #expect(job.compute.threads == .value(2))
        #expect(job.compute.shards == .value(4))
        #expect(job.compute.accumulate == 3)
        #expect(job.compute.audit == .seconds(7200))
        #expect(job.compute.rankTimeout == .seconds(30))
        #expect(job.metrics == [.r2, .mae])
        #expect(job.checkpoint.dir == "out")
        #expect(job.checkpoint.every.time == nil)
        #expect(job.checkpoint.every.epochs == nil)
        #expect(job.checkpoint.every.steps == 50)
        #expect(job.checkpoint.keepLast == 1)
        #expect(job.checkpoint.keepBest == 0)
        #expect(job.checkpoint.minFree == .value(.bytes(2 << 30)))
        #expect(job.checkpoint.onError == .stop)
        #expect(job.log.level == .debug)
        #expect(job.log.every == .milliseconds(500))
        #expect(job.log.metrics == "m.jsonl")
        #expect(job.log.tensorboard)
        #expect(job.log.prometheus == "t.prom")
        #expect(job.retrain?.when == .always)
        #expect(job.retrain?.start == .cold)
        #expect(job.retrain?.lock == .wait)
        #expect(job.retrain?.promote?.to == "best.h5")
        #expect(job.retrain?.promote?.metric == "valid.mae")
        #expect(job.retrain?.promote?.tolerance == .share(0.02))
        #expect(job.retrain?.promote?.keep == 0)
        #expect(job.retrain?.promote?.hook == "make serve")
        #expect(job.retrain?.promote?.maxDrift == 3)
        #expect(job.retrain?.promote?.warnDrift == 0.5)
        #expect(job.retrain?.promote?.confidence == 0.9)
        #expect(try Job.parse(job.resolvedText) == job)
    }

    @Test func `null switches sections off`() throws {
        let job = try Job.with("data.valid=null", "stop.early=null", "retrain=null", "checkpoint.every.time=null")
        #expect(job.data.valid == nil)
        #expect(job.stop.early == nil)
        #expect(job.retrain == nil)
        #expect(job.checkpoint.every.time == nil)
        #expect(try Job.with("retrain.promote=null").retrain?.promote == nil)
    }

    @Test func `nothing is promoted by default where there are no validation rows`() throws {
        let job = try Job.with("data.valid=null")
        #expect(job.retrain?.promote == nil)
        #expect(try Job.parse(job.resolvedText) == job)
    }

    @Test func `partial sections keep the other defaults`() throws {
        let job = try Job.with("stop={ early: { patience: 9 } }", "checkpoint={ every: { steps: 5 } }")
        #expect(job.stop.epochs == 20)
        #expect(job.stop.early?.patience == 9)
        #expect(job.stop.early?.metric == "valid.loss")
        #expect(job.checkpoint.every.time == .seconds(600))
        #expect(job.checkpoint.every.steps == 5)
    }

    @Test func `metrics follow the task`() throws {
        #expect(try Job.with("task=regression").metrics == [.rmse])
        #expect(try Job.with("task=multilabel").metrics == [.accuracy])
        #expect(try Job.with("task=regression", "metrics=[]").metrics == [])
    }

    @Test func `validation and test data lie where training data does unless they say otherwise`() throws {
        let job = try Job.parse(
            """
            { name: "a", model: { hidden: [] }, data: {
                train: { files: "a.h5", x: "/images", y: "/labels", weight: "/w", rows: 5 },
                valid: { files: "b.h5", y: "/other" }, test: { files: "c.h5", weight: null } } }
            """)
        guard case .source(let valid) = job.data.valid else {
            Issue.record("validation rows come from files here")
            return
        }
        #expect([valid.x, valid.y, valid.weight] == ["/images", "/other", "/w"])
        #expect(valid.rows == nil)
        #expect(job.data.test?.dataSource?.x == "/images")
        #expect(job.data.test?.dataSource?.weight == nil)
    }

    @Test(
        arguments: [
            ("\"250ms\"", .milliseconds(250)), ("\"90s\"", .seconds(90)), ("\"10m\"", .seconds(600)),
            ("\"1h30m\"", .seconds(5400)), ("\"1d\"", .seconds(86400)), ("\"1.5h\"", .seconds(5400)),
            ("\"1d2h3m4.5s\"", .milliseconds(93_784_500)), ("12", .seconds(12)), ("0.25", .milliseconds(250)),
        ] as [(String, Duration)])
    func `times have units, or count seconds`(text: String, time: Duration) throws {
        let job = try Job.with("stop.wall_time=\(text)")
        #expect(job.stop.wallTime == time)
        #expect(try Job.parse(job.resolvedText) == job)
    }

    @Test(arguments: [
        "0", "-1", "\"\"", "\"10\"", "\"10x\"", "\"1m1h\"", "\"1s1s\"", "\"-3s\"", "\"h\"", "\".5h\"", "\"5.h\"",
        "1e300", "NaN",
    ])
    func `other times are refused`(text: String) {
        #expect(Job.errors(Job.short, set: ["stop.wall_time=\(text)"]).count == 1)
    }

    @Test(
        arguments: [
            ("\"300MB\"", .bytes(300_000_000)), ("\"2GiB\"", .bytes(2 << 30)), ("\"1.5 kB\"", .bytes(1500)),
            ("\"7B\"", .bytes(7)), ("4096", .bytes(4096)), ("\"25%\"", .share(0.25)), ("\"12.5%\"", .share(0.125)),
            ("\"7%\"", .share(0.07)), ("\"100%\"", .share(1)), ("\"0.1%\"", .share(0.001)),
        ] as [(String, Amount)])
    func `amounts have units, are shares, or count bytes`(text: String, amount: Amount) throws {
        let job = try Job.with("data.memory_limit=\(text)")
        #expect(job.data.memoryLimit == amount)
        #expect(try Job.parse(job.resolvedText) == job)
    }

    @Test(arguments: [
        "0", "-5", "1.5", "\"0MB\"", "\"5XB\"", "\"101%\"", "\"%\"", "\"-1%\"", "\"99999999999TiB\"", "\"MB\"", "null",
    ])
    func `other amounts are refused`(text: String) {
        #expect(Job.errors(Job.short, set: ["data.memory_limit=\(text)"]).count == 1)
    }

    @Test func `a file is read, its directory is the base, and a missing one is no input`() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "job.json5")
        try Data(("\u{FEFF}" + Job.short).utf8).write(to: file)
        let job = try Configuration.load(path: file.path)
        #expect(job.baseDirectory == directory.path)
        #expect(job.path(job.checkpoint.dir) == directory.path + "/runs/churn")
        let missing = directory.appending(path: "jbo.json5").path
        #expect(
            throws: TreadleError(.noInput, "\(missing): no such file; `treadle init DATA.h5` writes a configuration")
        ) {
            try Configuration.load(path: missing)
        }
        #expect(
            throws: TreadleError(
                .noInput, "\(directory.path): this is a directory; name the configuration file in it")
        ) {
            try Configuration.load(path: directory.path)
        }
    }

    @Test func `what a file embeds is read as far as it is understood`() throws {
        let text = """
            { name: "churn", data: { train: "train.h5", warp: 9 }, model: { hidden: [{ units: 3 }] }, seed: 7,
              optimizer: { type: "of next year", lr: 0.5 } }
            """
        let known = try #require(EmbeddedConfiguration(text, baseDirectory: "/jobs"))
        #expect(known.name == "churn" && known.settings.seed == 7 && known.settings.model.hidden.map(\.units) == [3])
        #expect(known.settings.optimizer.lr == 0.5 && known.settings.baseDirectory == "/jobs")
        #expect(known.understands("optimizer.lr") && known.understands("model") && known.understands("data"))
        #expect(!known.understands("optimizer.type") && !known.understands("optimizer") && !known.isWhole)
        let whole = try #require(EmbeddedConfiguration(Job.short, baseDirectory: "/base"))
        #expect(try whole.isWhole && whole.settings == Job.parse(Job.short))
        #expect(EmbeddedConfiguration("{}", baseDirectory: "/")?.understands("model") == false)
        #expect(EmbeddedConfiguration("nonsense", baseDirectory: "/") == nil)
        #expect(EmbeddedConfiguration("[]", baseDirectory: "/") == nil)
    }
}
