import Testing
import TreadleConfiguration
import TreadleModel

/// Which changes a run in progress can take.
@Suite struct ConfigurationMeaningTests {
    private let job = """
        { name: "a", data: { train: "a.h5", valid: { files: "v.h5" } }, stop: { epochs: 5 },
          model: { hidden: [ { units: 8 } ] }, metrics: ["accuracy", "auc"] }
        """

    private func changes(_ settings: String...) throws -> [String] {
        Configuration.meaningChanges(from: try Job.parse(job), to: try Job.parse(job, set: settings))
            .map { "\($0.key): \($0.old ?? "nothing") → \($0.new ?? "nothing")" }
    }

    @Test(
        arguments: [
            ("seed=1", ["seed: 0 → 1"]),
            ("data.batch_size=300", ["data.batch_size: 256 → 300"]),
            ("data.drop_last=true", ["data.drop_last: false → true"]),
            ("data.train.x=/z", ["data.train.x: \"/x\" → \"/z\"", "data.valid.x: \"/x\" → \"/z\""]),
            ("data.train.rows=9", ["data.train.rows: null → [0, 9]"]),
            (
                "data.valid=null",
                ["data.valid: { \"x\": \"/x\", \"y\": \"/y\", \"weight\": null, \"rows\": null } → null"]
            ),
            (
                "data.valid={fraction: 0.1}",
                [
                    "data.valid.x: \"/x\" → nothing", "data.valid.y: \"/y\" → nothing",
                    "data.valid.weight: null → nothing", "data.valid.rows: null → nothing",
                    "data.valid.fraction: nothing → 0.1",
                ]
            ),
            ("data.shuffle=none", ["data.shuffle: \"full\" → \"none\""]),
            ("data.normalize={scale: 2}", ["data.normalize: \"standard\" → { \"scale\": 2 }"]),
            ("data.non_finite=drop_row", ["data.non_finite: \"error\" → \"drop_row\""]),
            ("model.hidden.0.units=9", ["model.hidden.0.units: 8 → 9"]),
            (
                "model.hidden=[]",
                ["model.hidden: [{ \"units\": 8, \"activation\": \"relu\", \"dropout\": 0 }] → []"]
            ),
            ("model.precision=float64", ["model.precision: \"float32\" → \"float64\""]),
            ("model.scale_inputs=true", ["model.scale_inputs: false → true"]),
            ("model.parameterization=ntk", ["model.parameterization: \"standard\" → \"ntk\""]),
            ("optimizer.bias_rate=0.1", ["optimizer.bias_rate: 1 → 0.1"]),
            ("loss.type=hinge", ["loss.type: \"cross_entropy\" → \"hinge\""]),
            ("loss.label_smoothing=0.1", ["loss.label_smoothing: 0 → 0.1"]),
            ("optimizer.lr=1", ["optimizer.lr: 0.001 → 1"]),
            ("optimizer.type=adamw", ["optimizer.type: \"adam\" → \"adamw\""]),
            ("schedule.type=cosine", ["schedule.type: \"constant\" → \"cosine\""]),
            ("compute.shards=2", ["compute.shards: 4 → 2"]),
            ("compute.accumulate=2", ["compute.accumulate: 1 → 2"]),
            ("stop.early.metric=valid.auc", ["stop.early.metric: \"valid.loss\" → \"valid.auc\""]),
        ])
    func `a change of meaning is named with both values`(setting: String, expected: [String]) throws {
        #expect(try changes(setting) == expected)
    }

    @Test(
        arguments: [
            "name=b", "data.train.files=b.h5", "data.valid.files=w.h5", "data.test=t.h5", "data.access=memory",
            "data.memory_limit=1GB", "data.prefetch=1", "data.allow_external=true", "data.allow_unstored=true",
            "data.filters=['lzf']",
            "loss.type=cross_entropy", "stop.epochs=50", "stop.steps=10", "stop.wall_time=1h", "stop.on_nan=rollback",
            "stop.early=null", "stop.early.patience=9", "compute.threads=4", "compute.shards=4",
            "compute.rank_timeout=1h", "compute.audit=1h", "metrics=['accuracy']", "checkpoint.dir=elsewhere",
            "checkpoint.every.steps=5", "checkpoint.keep_last=1", "log.level=debug", "log.tensorboard=true",
            "retrain=null", "retrain.start=cold",
        ])
    func `other changes are taken`(setting: String) throws {
        #expect(try changes(setting) == [])
    }

    @Test func `several changes come in the order of the keys`() throws {
        #expect(
            try changes("optimizer.lr=1", "seed=2", "model.bias=false") == [
                "seed: 0 → 2", "model.bias: true → false", "optimizer.lr: 0.001 → 1",
            ])
    }

    @Test func `the meaning text depends on what the weights depend on`() throws {
        let before = try Job.parse(job).meaningText
        for setting in [
            "name=b", "data.train.files=b.h5", "compute.threads=4", "loss.type=cross_entropy", "log.level=debug",
            "retrain=null",
        ] {
            #expect(try Job.parse(job, set: [setting]).meaningText == before, "\(setting)")
        }
        for setting in [
            "seed=1", "stop.epochs=6", "stop.early=null", "stop.early.patience=1", "optimizer.l1=1", "model.hidden=[]",
        ] {
            #expect(try Job.parse(job, set: [setting]).meaningText != before, "\(setting)")
        }
    }

    @Test(arguments: [(1, 1), (63, 1), (64, 1), (127, 1), (128, 2), (255, 2), (256, 4), (512, 8), (100_000, 8)])
    func `shards follow the batch size alone`(batchSize: Int, shards: Int) throws {
        #expect(try Job.with("data.batch_size=\(batchSize)").shards.count == shards)
        #expect(try Job.with("data.batch_size=\(batchSize)", "compute.shards=3").shards.count == 3)
    }

    @Test func `auto is the task's own loss`() throws {
        #expect(try Job.with("task=classification").lossType == .crossEntropy)
        #expect(try Job.with("task=multilabel").lossType == .bce)
        #expect(try Job.with("task=regression").lossType == .mse)
        #expect(try Job.with("task=regression", "loss.type=mae").lossType == .mae)
    }
}
