import Testing
import TreadleConfiguration
import TreadleModel

/// What errors say, whole, and where.
@Suite struct ConfigurationErrorTests {
    /// A setting, what it takes in words, and what it does not take.
    struct Case: Sendable, CustomTestStringConvertible {
        var path: String
        var expected: String
        var refused: [String]
        var testDescription: String { path }

        init(_ path: String, _ expected: String, _ refused: String...) {
            self.path = path
            self.expected = expected
            self.refused = refused
        }
    }

    /// Every key of the format. A section's refusals are those of its own type.
    static let cases: [Case] = [
        Case("schema", "1, the only version of this format so far", "2", "'1'", "null"),
        Case("name", "a name in quotes, without \"/\" or control characters", "7", "''", "'a/b'", "'..'", "null", "[]"),
        Case("task", "\"classification\", \"multilabel\" or \"regression\"", "1", "null", "{}"),
        Case("seed", "an integer from 0 to 18446744073709551615", "-1", "1.5", "'x'", "null"),
        Case("data", "an object { … }", "null", "[]", "'x'"),
        Case("data.train", "an object with files, or the files alone", "null", "7"),
        Case("data.train.files", "a path in quotes or a list of paths", "null", "[]", "7", "''", "[7]", "['']", "{}"),
        Case("data.train.x", "the path of a dataset in quotes", "null", "''", "7"),
        Case("data.train.y", "the path of a dataset in quotes", "null", "''", "7"),
        Case("data.train.weight", "the path of a dataset in quotes", "''", "7"),
        Case(
            "data.train.rows", "a count of at least 1 or [first, end) such as [0, 1000]", "0", "-1", "1.5", "'x'", "[]",
            "[1]", "[2, 2]", "[3, 2]", "[-1, 2]", "[0, 1, 2]", "['a', 'b']", "1e16"),
        Case("data.valid", "an object with files, or the files alone", "true", "0.1"),
        Case("data.valid.fraction", "a number between 0 and 1", "0", "1", "-0.5", "null", "'x'"),
        Case("data.valid.folds", "an integer from 2 to 1000", "1", "1001", "null", "2.5"),
        Case("data.valid.files", "a path in quotes or a list of paths", "null", "[]", "7"),
        Case("data.valid.x", "the path of a dataset in quotes", "null", "7"),
        Case("data.valid.y", "the path of a dataset in quotes", "null", "7"),
        Case("data.valid.weight", "the path of a dataset in quotes", "7"),
        Case("data.valid.rows", "a count of at least 1 or [first, end) such as [0, 1000]", "0", "'x'"),
        Case("data.test", "an object with files, or the files alone", "true", "7"),
        Case("data.test.fraction", "a number between 0 and 1", "0", "1", "null", "'x'"),
        Case("data.test.group", "the name of a column", "7", "null", "''"),
        Case("data.test.after", "a date such as \"2026-01-31\"", "7", "null", "'soon'", "'2026-13-01'"),
        Case("data.test.column", "the name of a column", "7", "''"),
        Case("data.test.files", "a path in quotes or a list of paths", "null", "[]", "7"),
        Case("data.test.x", "the path of a dataset in quotes", "null", "7"),
        Case("data.test.y", "the path of a dataset in quotes", "null", "7"),
        Case("data.test.weight", "the path of a dataset in quotes", "7"),
        Case("data.test.rows", "a count of at least 1 or [first, end) such as [0, 1000]", "0", "'x'"),
        Case("data.batch_size", "an integer from 1 to 16777216", "0", "16777217", "1.5", "'x'", "null", "[]"),
        Case("data.drop_last", "true or false", "1", "'true'", "null"),
        Case("data.shuffle", "\"full\", \"block\" or \"none\"", "true", "null"),
        Case("data.shuffle_block", "an integer from 1 to 1000000000", "0", "null"),
        Case("data.shuffle_window", "an integer from 1 to 1000000", "0", "null"),
        Case("data.access", "\"auto\", \"mmap\", \"chunks\", \"library\" or \"memory\"", "7", "null"),
        Case(
            "data.memory_limit", "an amount such as \"300MB\", \"2GiB\", \"25%\", or bytes", "0", "'x'", "'0%'", "null"),
        Case("data.prefetch", "an integer from 1 to 1024", "0", "1025", "null"),
        Case("data.normalize", "\"standard\", \"robust\", \"minmax\", \"none\" or { scale: … }", "null", "2", "[]"),
        Case("data.normalize.scale", "a number other than 0", "0", "'x'", "null", "Infinity", "NaN"),
        Case("data.normalize_target", "\"standard\" or \"none\"", "null", "7"),
        Case("data.smooth_clip", "a number above 0", "0", "-1", "null"),
        Case("data.clip_predictions", "true or false", "null", "1", "'x'"),
        Case("data.non_finite", "\"error\", \"impute_mean\" or \"drop_row\"", "null", "7"),
        Case("data.allow_external", "true or false", "0", "null"),
        Case("data.allow_unstored", "true or false", "0", "null"),
        Case("data.filters", "a list of texts", "7", "[7]", "null", "{}"),
        Case("data.kinds", "a list of texts", "7", "[7]", "null", "{}"),
        Case("model", "an object { … }", "null", "[]"),
        Case("model.hidden", "a list of layers { units: … }", "null", "7", "{}"),
        Case("model.hidden.0.units", "an integer from 1 to 16777216", "0", "2.5", "'x'", "null"),
        Case(
            "model.hidden.0.activation",
            "\"identity\", \"relu\", \"leaky_relu\", \"elu\", \"gelu\", \"silu\", \"sigmoid\", \"tanh\", \"softplus\", \"selu\" or \"mish\"",
            "7", "null"),
        Case("model.hidden.0.dropout", "a number from 0 up to, not including, 1", "1", "-0.1", "'x'", "null"),
        Case("model.bias", "true or false", "1", "null"),
        Case("model.init", "\"auto\", \"he\", \"glorot\", \"lecun\", \"normal\" or \"zeros\"", "7", "null"),
        Case("model.precision", "\"float32\", \"float64\", \"bfloat16\" or \"bfloat16x3\"", "32", "null"),
        Case("model.parameterization", "\"standard\" or \"ntk\"", "7", "null"),
        Case("model.scale_inputs", "true or false", "1", "null"),
        Case("model.embedding", "an object { … }", "7", "true"),
        Case("model.embedding.type", "\"periodic\" or \"piecewise\"", "7", "null"),
        Case("model.embedding.bins", "an integer from 2 to 1024", "1", "1025", "null"),
        Case("model.embedding.frequencies", "an integer from 1 to 1024", "0", "1025", "null"),
        Case("model.embedding.outputs", "an integer from 1 to 32", "0", "33", "null"),
        Case("model.embedding.sigma", "a number above 0", "0", "-1", "null"),
        Case("model.members", "an integer from 1 to 1000", "0", "1001", "null", "1.5"),
        Case("model.vary", "an object { … }", "[]", "7"),
        Case(
            "model.vary.lr", "two numbers above 0 such as [0.001, 0.01]", "[]", "[1]", "[0, 1]", "[2, 1]", "7", "{}"),
        Case(
            "model.vary.units", "two integers from 16 to 65536 such as [64, 512]", "[8, 64]", "[64]", "[64, 32]", "64",
            "[64.5, 128]"),
        Case(
            "model.vary.dropout", "two numbers from 0 up to, not including, 1 such as [0, 0.3]", "[0, 1]", "[-0.1, 0]",
            "[0.2, 0.1]", "0.1"),
        Case(
            "model.vary.weight_decay", "two numbers above 0 such as [0.001, 0.01]", "[]", "[1]", "[0, 1]", "[2, 1]",
            "7"),
        Case("loss", "an object { … }", "null", "'mse'"),
        Case(
            "loss.type",
            "\"auto\", \"cross_entropy\", \"bce\", \"hinge\", \"mse\", \"mae\", \"huber\", \"poisson\" or \"quantile\"",
            "7", "null"),
        Case(
            "loss.class_weight", "\"balanced\", a list of numbers above 0, or null", "7", "'even'", "[]", "[1]",
            "[1, 0]",
            "[1, 'x']"),
        Case("loss.label_smoothing", "a number from 0 up to, not including, 1", "1", "-0.1", "null"),
        Case("loss.delta", "a number above 0", "0", "-1", "null", "Infinity"),
        Case("loss.quantile", "a number between 0 and 1", "0", "1", "null"),
        Case("optimizer", "an object { … }", "null", "'adam'"),
        Case("optimizer.type", "\"sgd\", \"adam\", \"adamw\", \"rmsprop\", \"adagrad\" or \"lion\"", "7", "null"),
        Case("optimizer.lr", "a number above 0", "0", "-1", "'x'", "null", "Infinity", "NaN"),
        Case("optimizer.momentum", "a number from 0 up to, not including, 1", "1", "-0.1", "null"),
        Case("optimizer.nesterov", "true or false", "1", "null"),
        Case("optimizer.beta1", "a number from 0 up to, not including, 1", "1", "-0.1", "null"),
        Case("optimizer.beta2", "a number from 0 up to, not including, 1", "1", "-0.1", "null"),
        Case("optimizer.rho", "a number from 0 up to, not including, 1", "1", "-0.1", "null"),
        Case("optimizer.eps", "a number above 0", "0", "null"),
        Case("optimizer.weight_decay", "a number of at least 0", "-1", "null"),
        Case("optimizer.decay_schedule", "\"constant\", \"flat_cosine\" or \"rate\"", "null", "1"),
        Case("optimizer.l1", "a number of at least 0", "-1", "null"),
        Case("optimizer.clip_norm", "a number above 0", "0", "'x'"),
        Case("optimizer.bias_rate", "a number of at least 0", "-1", "null"),
        Case("optimizer.scale_rate", "a number of at least 0", "-1", "null"),
        Case("optimizer.embedding_rate", "a number of at least 0", "-1", "null"),
        Case("schedule", "an object { … }", "null", "'cosine'"),
        Case(
            "schedule.type",
            "\"constant\", \"step\", \"exponential\", \"cosine\", \"poly\", \"plateau\", \"linear\", \"coslog\", \"flat_cosine\" or \"flat_linear\"",
            "7", "null"
        ),
        Case("schedule.warmup_steps", "an integer from 0 to 1000000000", "-1", "0.5", "null"),
        Case("schedule.gamma", "a number above 0 up to 1", "0", "1.1", "null"),
        Case("schedule.step_epochs", "an integer from 1 to 1000000000", "0", "null"),
        Case("schedule.min_lr", "a number of at least 0", "-1", "null"),
        Case("schedule.power", "a number above 0", "0", "null"),
        Case("schedule.cycles", "an integer from 1 to 30", "0", "31", "null", "1.5"),
        Case("schedule.patience", "an integer from 0 to 1000000000", "-1", "null"),
        Case("stop", "an object { … }", "null", "7"),
        Case("stop.epochs", "an integer from 1 to 1000000000", "0", "null", "'x'"),
        Case("stop.steps", "an integer from 1 to 1000000000000", "0", "'x'"),
        Case("stop.wall_time", "a time such as \"90s\", \"10m\", \"1h30m\", or seconds", "0", "'x'", "'10'"),
        Case("stop.on_nan", "\"stop\" or \"rollback\"", "7", "null"),
        Case("stop.max_rollbacks", "an integer from 1 to 1000000", "0", "null"),
        Case("stop.rollback_factor", "a number between 0 and 1", "0", "1", "null"),
        Case("stop.early", "an object { … }", "7", "true"),
        Case("stop.early.metric", "the name of a metric such as \"valid.loss\"", "7", "''", "null"),
        Case("stop.early.patience", "an integer from 0 to 1000000000", "-1", "null"),
        Case("stop.early.min_delta", "a number of at least 0", "-1", "null"),
        Case("stop.early.restore_best", "true or false", "1", "null"),
        Case("compute", "an object { … }", "null", "7"),
        Case("compute.threads", "\"auto\" or an integer from 1 to 4096", "0", "'all'", "null"),
        Case("compute.shards", "\"auto\" or an integer from 1 to 1024", "0", "1025", "null"),
        Case("compute.accumulate", "an integer from 1 to 1000000", "0", "null"),
        Case("compute.audit", "a time such as \"90s\", \"10m\", \"1h30m\", or seconds", "0", "true"),
        Case("compute.rank_timeout", "a time such as \"90s\", \"10m\", \"1h30m\", or seconds", "0", "null"),
        Case("metrics", "a list of metrics such as [\"accuracy\"]", "7", "null", "'accuracy'"),
        Case("calibrate", "true or false", "1", "null"),
        Case("checkpoint", "an object { … }", "null", "'runs'"),
        Case("checkpoint.dir", "a path in quotes", "7", "''", "null"),
        Case("checkpoint.every", "an object { … }", "null", "'10m'"),
        Case("checkpoint.every.time", "a time such as \"90s\", \"10m\", \"1h30m\", or seconds", "0", "'x'"),
        Case("checkpoint.every.epochs", "an integer from 1 to 1000000000", "0", "'x'"),
        Case("checkpoint.every.steps", "an integer from 1 to 1000000000000", "0", "'x'"),
        Case("checkpoint.keep_last", "an integer from 1 to 1000000", "0", "null"),
        Case("checkpoint.keep_best", "an integer from 0 to 1000000", "-1", "null"),
        Case(
            "checkpoint.min_free", "\"auto\" or an amount such as \"300MB\", \"2GiB\", \"25%\", or bytes", "0", "'x'",
            "null"),
        Case("checkpoint.on_error", "\"continue\" or \"stop\"", "7", "null"),
        Case("log", "an object { … }", "null", "'info'"),
        Case("log.level", "\"debug\", \"info\", \"warning\" or \"error\"", "7", "null"),
        Case("log.every", "a time such as \"90s\", \"10m\", \"1h30m\", or seconds", "0", "null"),
        Case("log.metrics", "a path in quotes", "7", "null"),
        Case("log.tensorboard", "true or false", "'yes'", "null"),
        Case("log.prometheus", "a path in quotes", "7", "''"),
        Case("retrain", "an object { … }", "7", "'nightly'"),
        Case("retrain.when", "\"data-changed\" or \"always\"", "7", "null"),
        Case("retrain.start", "\"warm\" or \"cold\"", "7", "null"),
        Case("retrain.lock", "\"skip\", \"wait\" or \"fail\"", "7", "null"),
        Case("retrain.promote", "an object { … }", "7", "'models/a.h5'"),
        Case("retrain.promote.to", "a path in quotes", "7", "null"),
        Case("retrain.promote.metric", "the name of a metric such as \"valid.loss\"", "7", "null"),
        Case(
            "retrain.promote.tolerance", "a number of at least 0, or a share such as \"2%\"", "-1", "'x'", "'-2%'",
            "null"),
        Case("retrain.promote.keep", "an integer from 0 to 1000000", "-1", "null"),
        Case("retrain.promote.hook", "a command in quotes", "7", "''"),
        Case("retrain.promote.confidence", "a number between 0 and 1", "0", "1"),
        Case("retrain.promote.warn_drift", "a number above 0", "0", "'x'"),
        Case("retrain.promote.max_drift", "a number above 0", "0", "'x'"),
    ]

    /// What errors call a value of the cases.
    private func found(_ value: String) -> String {
        switch value.first {
        case "'": "the text \"\(value.dropFirst().dropLast())\""
        case "[": value == "[]" ? "an empty list" : "a list"
        case "{": value == "{}" ? "an empty object" : "an object"
        default: value
        }
    }

    /// A configuration with `value` at `path`, which stands alone on the last line, and the value's place there.
    private func document(_ path: String, _ value: String) -> (text: String, place: String) {
        let parts = path.split(separator: ".").map(String.init)
        var lines = ["{"]
        for (key, standard) in [("name", "'n'"), ("data", "{ train: 't' }"), ("model", "{ hidden: [] }")]
        where key != parts[0] {
            lines[0] += " \(key): \(standard),"
        }
        var end = " }"
        for (depth, part) in parts.dropLast().enumerated() {
            guard part != "0" else { continue }
            let next = parts[depth + 1]
            lines.append(part + ": " + (part == "hidden" ? "[ {" : "{"))
            end = (part == "hidden" ? " } ]" : " }") + end
            if part == "data", next != "train" { lines[lines.count - 1] += " train: 't'," }
            if part == "model", next != "hidden" { lines[lines.count - 1] += " hidden: []," }
            if part == "hidden", parts.last != "units" { lines[lines.count - 1] += " units: 1," }
            if ["train", "valid", "test"].contains(part),
                !["files", "fraction", "folds", "group", "after"].contains(next)
            {
                lines[lines.count - 1] += next == "column" ? " after: '2026-01-31'," : " files: 't',"
            }
        }
        let key = parts[parts.count - 1]
        lines.append("\(key): \(value)\(end)")
        return (lines.joined(separator: "\n"), "job.json5:\(lines.count):\(key.count + 3)")
    }

    @Test(arguments: cases)
    func `a wrong type or value is named at its place, with what is expected`(of setting: Case) {
        for value in setting.refused {
            let (text, place) = document(setting.path, value)
            #expect(
                Job.errors(text) == ["\(place): \(setting.path) must be \(setting.expected); found \(found(value))"])
        }
    }

    @Test func `every key has such a case`() {
        let tested = Set(Self.cases.map { $0.path.replacing(".0.", with: ".N.") })
        #expect(Configuration.settings.map(\.path).filter { !tested.contains($0) } == [])
        #expect(Set(Configuration.settings.map(\.path)).count == Self.cases.count)
    }

    @Test(
        arguments: [
            ("task", "regresion", "did you mean \"regression\"?"),
            ("task", "cats", "it must be \"classification\", \"multilabel\" or \"regression\""),
            ("data.shuffle", "Full", "did you mean \"full\"?"),
            ("data.access", "chunk", "did you mean \"chunks\"?"),
            ("data.normalize", "minimax", "did you mean \"minmax\"?"),
            ("data.normalize_target", "standart", "did you mean \"standard\"?"),
            ("data.non_finite", "drop-row", "did you mean \"drop_row\"?"),
            ("model.init", "glorto", "did you mean \"glorot\"?"),
            ("model.precision", "float16", "did you mean \"bfloat16\"?"),
            ("loss.type", "crossentropy", "did you mean \"cross_entropy\"?"),
            ("optimizer.type", "adma", "did you mean \"adam\"?"),
            ("schedule.type", "cosin", "did you mean \"cosine\"?"),
            ("stop.on_nan", "rolback", "did you mean \"rollback\"?"),
            ("checkpoint.on_error", "contine", "did you mean \"continue\"?"),
            ("log.level", "warn", "it must be \"debug\", \"info\", \"warning\" or \"error\""),
            ("retrain.when", "data_changed", "did you mean \"data-changed\"?"),
            ("retrain.start", "hot", "it must be \"warm\" or \"cold\""),
            ("retrain.lock", "skpi", "did you mean \"skip\"?"),
            ("model.hidden.0.activation", "leakyrelu", "did you mean \"leaky_relu\"?"),
        ])
    func `an unknown value is named with a suggestion`(path: String, value: String, suggestion: String) {
        let (text, place) = document(path, "'\(value)'")
        #expect(Job.errors(text) == ["\(place): unknown value \"\(value)\" for \(path); \(suggestion)"])
    }

    @Test(
        arguments: [
            ("nmae", "unknown key \"nmae\"; did you mean \"name\"?"),
            ("lr", "unknown key \"lr\"; did you mean \"optimizer.lr\"?"),
            ("data.shufle", "unknown key \"shufle\" in data; did you mean \"shuffle\"?"),
            ("data.batchSize", "unknown key \"batchSize\" in data; did you mean \"batch_size\"?"),
            ("data.train.file", "unknown key \"file\" in data.train; did you mean \"files\"?"),
            ("stop.early.patients", "unknown key \"patients\" in stop.early; did you mean \"patience\"?"),
            (
                "checkpoint.every.fortnight",
                "unknown key \"fortnight\" in checkpoint.every; its keys are time, epochs, steps"
            ),
            ("model.hidden.0.unit", "unknown key \"unit\" in model.hidden.0; did you mean \"units\"?"),
            ("retrain.promote.tolerence", "unknown key \"tolerence\" in retrain.promote; did you mean \"tolerance\"?"),
        ])
    func `an unknown key is named with a suggestion`(path: String, message: String) {
        let (text, place) = document(path, "1")
        let line = place.split(separator: ":")[1]
        #expect(Job.errors(text) == ["job.json5:\(line):1: \(message)"])
    }

    @Test func `what must be given is missed`() {
        #expect(
            Job.errors("{ }") == [
                "job.json5:1:1: missing key \"name\": what the run is called",
                "job.json5:1:1: missing key \"data\": where rows come from",
                "job.json5:1:1: missing key \"model\": the network",
            ])
        #expect(
            Job.errors("{ name: 'n', data: {}, model: { hidden: [ {} ] } }") == [
                "job.json5:1:20: missing key \"train\" in data: the rows to learn from",
                "job.json5:1:43: missing key \"units\" in model.hidden.0: outputs of the layer",
            ])
        #expect(
            Job.errors("{ name: 'n', data: { train: {}, valid: {}, normalize: {} }, model: {} }") == [
                "job.json5:1:29: missing key \"files\" in data.train: "
                    + "HDF5 files that make one dataset, in this order, or tables (CSV, TSV); * ? [ ] match names",
                "job.json5:1:40: data.valid needs either \"fraction\", \"folds\" or \"files\"",
                "job.json5:1:55: missing key \"scale\" in data.normalize: what inputs are multiplied by",
                "job.json5:1:68: missing key \"hidden\" in model: the hidden layers; [] is a linear model",
            ])
    }

    @Test func `all errors are reported at once in the order of their places`() {
        let text = """
            {
              // Everything here is wrong.
              name: "", seed: -1,
              data: { train: { file: "a.h5" }, shufle: "full", valid: { fraction: 2 } },
              model: { hidden: [ { units: 0 }, 7 ] },
              optimizer: { type: "adam", lr: "fast", momentum: 0.9 },
              stop: { early: { metric: "valid.f1" } },
              colour: "blue",
            }
            """
        #expect(
            Job.errors(text, set: ["log.level=loud"], environment: ["TREADLE_STOP__EPOCHS": "0"]) == [
                "job.json5:3:9: name must be a name in quotes, without \"/\" or control characters; found the text \"\"",
                "job.json5:3:19: seed must be an integer from 0 to 18446744073709551615; found -1",
                "job.json5:4:18: missing key \"files\" in data.train: "
                    + "HDF5 files that make one dataset, in this order, or tables (CSV, TSV); * ? [ ] match names",
                "job.json5:4:20: unknown key \"file\" in data.train; did you mean \"files\"?",
                "job.json5:4:36: unknown key \"shufle\" in data; did you mean \"shuffle\"?",
                "job.json5:4:71: data.valid.fraction must be a number between 0 and 1; found 2",
                "job.json5:5:31: model.hidden.0.units must be an integer from 1 to 16777216; found 0",
                "job.json5:5:36: model.hidden.1 must be an object { … }; found 7",
                "job.json5:6:34: optimizer.lr must be a number above 0; found the text \"fast\"",
                "job.json5:6:52: optimizer.momentum has a use with optimizer.type \"sgd\" only; "
                    + "remove it or change optimizer.type",
                "job.json5:7:28: unknown metric \"valid.f1\" for stop.early.metric; "
                    + "it must be \"valid.loss\", \"loss\" or \"valid.accuracy\"",
                "job.json5:8:3: unknown key \"colour\"; its keys are schema, name, task, seed, data, model, loss, "
                    + "optimizer, schedule, stop, compute, metrics, calibrate, checkpoint, log, retrain",
                "TREADLE_STOP__EPOCHS: stop.epochs must be an integer from 1 to 1000000000; found 0",
                "--set log.level=loud: unknown value \"loud\" for log.level; "
                    + "it must be \"debug\", \"info\", \"warning\" or \"error\"",
            ])
    }

    @Test(
        arguments: [
            (
                ["loss.type=mse"],
                "loss.type \"mse\" does not fit task \"classification\"; use \"cross_entropy\" or \"hinge\""
            ),
            (
                ["task=regression", "loss.type=bce"],
                "loss.type \"bce\" does not fit task \"regression\"; use \"mse\", \"mae\", \"huber\", \"poisson\" or \"quantile\""
            ),
            (
                ["task=multilabel", "loss.type=cross_entropy"],
                "loss.type \"cross_entropy\" does not fit task \"multilabel\"; use \"bce\" or \"hinge\""
            ),
            (
                ["task=regression", "loss.class_weight=balanced"],
                "loss.class_weight is for classes, or for labels with \"bce\"; not for \"mse\" in task \"regression\"; remove it"
            ),
            (
                ["task=multilabel", "loss.type=hinge", "loss.class_weight=[1, 2]"],
                "loss.class_weight is for classes, or for labels with \"bce\"; not for \"hinge\" in task \"multilabel\"; "
                    + "remove it"
            ),
            (
                ["task=regression", "loss.label_smoothing=0.1"],
                "loss.label_smoothing has a use with loss.type \"cross_entropy\" or \"bce\" only; remove it or change loss.type"
            ),
            (
                ["optimizer.momentum=0.9"],
                "optimizer.momentum has a use with optimizer.type \"sgd\" only; remove it or change optimizer.type"
            ),
            (
                ["optimizer.rho=0.9"],
                "optimizer.rho has a use with optimizer.type \"rmsprop\" only; remove it or change optimizer.type"
            ),
            (
                ["optimizer.type=sgd", "optimizer.beta1=0.8"],
                "optimizer.beta1 has a use with optimizer.type \"adam\", \"adamw\" or \"lion\" only; remove it or change optimizer.type"
            ),
            (
                ["optimizer.type=sgd", "optimizer.eps=1"],
                "optimizer.eps has a use with optimizer.type \"adam\", \"adamw\", \"rmsprop\" or \"adagrad\" only; "
                    + "remove it or change optimizer.type"
            ),
            (
                ["optimizer.type=sgd", "optimizer.nesterov=true"],
                "optimizer.nesterov needs optimizer.momentum above 0, such as 0.9"
            ),
            (["loss.delta=2"], "loss.delta has a use with loss.type \"huber\" only; remove it or change loss.type"),
            (
                ["loss.quantile=0.9"],
                "loss.quantile has a use with loss.type \"quantile\" only; remove it or change loss.type"
            ),
            (
                ["schedule.gamma=0.5"],
                "schedule.gamma has a use with schedule.type \"step\", \"exponential\" or \"plateau\" only; "
                    + "remove it or change schedule.type"
            ),
            (
                ["schedule.step_epochs=3"],
                "schedule.step_epochs has a use with schedule.type \"step\" only; remove it or change schedule.type"
            ),
            (
                ["data.clip_predictions=true"],
                "data.clip_predictions is for task \"regression\" only, not for \"classification\"; remove it"
            ),
            (
                ["optimizer.decay_schedule=rate"],
                "optimizer.decay_schedule changes nothing while optimizer.weight_decay is 0; set that, or remove it"
            ),
            (
                ["schedule.cycles=3"],
                "schedule.cycles has a use with schedule.type \"coslog\" only; remove it or change schedule.type"
            ),
            (
                ["schedule.min_lr=1e-5"],
                "schedule.min_lr has a use with schedule.type \"cosine\", \"poly\", \"plateau\", \"linear\", \"coslog\", "
                    + "\"flat_cosine\" or \"flat_linear\" only; "
                    + "remove it or change schedule.type"
            ),
            (
                ["schedule.type=cosine", "schedule.min_lr=0.1"],
                "schedule.min_lr 0.1 is above optimizer.lr 0.001; rates fall from lr to min_lr"
            ),
            (
                ["schedule.power=2"],
                "schedule.power has a use with schedule.type \"poly\" only; remove it or change schedule.type"
            ),
            (
                ["schedule.patience=2"],
                "schedule.patience has a use with schedule.type \"plateau\" only; remove it or change schedule.type"
            ),
            (
                ["data.shuffle_block=8"],
                "data.shuffle_block has a use with data.shuffle \"block\" only; remove it or change data.shuffle"
            ),
            (
                ["data.shuffle_window=8"],
                "data.shuffle_window has a use with data.shuffle \"block\" only; remove it or change data.shuffle"
            ),
            (
                ["stop.max_rollbacks=8"],
                "stop.max_rollbacks has a use with stop.on_nan \"rollback\" only; remove it or change stop.on_nan"
            ),
            (
                ["stop.rollback_factor=0.1"],
                "stop.rollback_factor has a use with stop.on_nan \"rollback\" only; remove it or change stop.on_nan"
            ),
            (
                ["data.normalize_target=standard"],
                "data.normalize_target is for task \"regression\" only, not for \"classification\"; remove it"
            ),
            (
                ["task=regression", "loss.type=poisson", "data.normalize_target=standard"],
                "data.normalize_target does not fit loss.type \"poisson\", which needs counts; remove it"
            ),
            (
                ["metrics=[\"accuracy\", \"rmse\"]"],
                "metric \"rmse\" does not fit task \"classification\"; "
                    + "use \"accuracy\", \"macro_f1\", \"log_loss\", \"auc\" or \"confusion\""
            ),
            (
                ["task=regression", "calibrate=true"],
                "calibrate is for probabilities, which task \"regression\" has none of; remove it"
            ),
            (
                ["data.valid=null", "retrain=null", "calibrate=true"],
                "calibrate fits a temperature on validation rows, and data.valid is null; give some, or remove calibrate"
            ),
            (["metrics=[\"auc\", \"auc\"]"], "metric \"auc\" is given twice; remove one"),
            (["metrics=[\"acuracy\"]"], "unknown value \"acuracy\" for metrics.0; did you mean \"accuracy\"?"),
            (
                ["stop.early.metric=valid.auc"],
                "stop.early.metric \"valid.auc\" is not measured; add \"auc\" to metrics"
            ),
            (
                ["stop.early.metric=valid.los"],
                "unknown metric \"valid.los\" for stop.early.metric; did you mean \"valid.loss\"?"
            ),
            (
                ["stop.early.metric=accuracy"],
                "unknown metric \"accuracy\" for stop.early.metric; did you mean \"valid.accuracy\"?"
            ),
            (
                ["metrics=[\"confusion\"]", "stop.early.metric=valid.confusion"],
                "unknown metric \"valid.confusion\" for stop.early.metric; it must be \"valid.loss\" or \"loss\""
            ),
            (
                ["retrain.promote.metric=valid.auc"],
                "retrain.promote.metric \"valid.auc\" is not measured; add \"auc\" to metrics"
            ),
            (
                ["retrain.promote.metric=loss"],
                "unknown metric \"loss\" for retrain.promote.metric; did you mean \"valid.loss\"?"
            ),
            (
                ["data.valid=null", "retrain.promote={}"],
                "retrain.promote compares models on validation rows, and data.valid is null; give one or set promote to null"
            ),
            (
                ["data.valid={ fraction: 0.1, files: \"v.h5\" }"],
                "data.valid takes a fraction of the training rows or files, not both; remove \"files\""
            ),
            (["data.normalize={ scale: 2, shift: 1 }"], "unknown key \"shift\" in data.normalize; its key is scale"),
        ])
    func `keys that contradict each other are named`(settings: [String], message: String) {
        let errors = Job.errors(Job.short, set: settings)
        #expect(errors.count == 1)
        let blamed = settings.first { errors.first == "--set \($0): \(message)" }
        #expect(blamed != nil, "\(errors)")
    }

    @Test func `after a hundred errors the rest are not listed`() {
        let keys = (1...150).map { "\nzzz\($0): 1" }.joined(separator: ",")
        let errors = Job.errors("{ name: 'n', data: { train: 't' }, model: { hidden: [] },\(keys) }")
        #expect(errors.count == 101)
        #expect(errors.first?.hasPrefix("job.json5:2:1: unknown key \"zzz1\"; its keys are schema, ") == true)
        #expect(errors.last == "there are more errors than these 100; correct these first")
    }

    @Test func `keys of another type may stand at their defaults`() throws {
        let job = try Job.with("optimizer.type=sgd", "optimizer.beta1=0.9", "schedule.gamma=0.1", "loss.delta=1")
        #expect(job.optimizer.type == .sgd)
    }

    @Test func `what depends on a value that could not be read is not judged`() {
        #expect(Job.errors(Job.short, set: ["task=regres", "loss.type=mse", "metrics=[\"rmse\"]"]).count == 1)
    }
}
