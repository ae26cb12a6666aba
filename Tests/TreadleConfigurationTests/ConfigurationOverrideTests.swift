import Testing
import TreadleConfiguration

@Suite struct ConfigurationOverrideTests {
    private let job = """
        { name: "churn", seed: 1, data: { train: "train.h5", valid: { fraction: 0.2 } },
          model: { hidden: [ { units: 8 }, { units: 4 } ] }, stop: { early: null } }
        """

    @Test func `settings replace what the file says, and make what it does not`() throws {
        let changed = try Job.parse(
            job,
            set: [
                "seed=7", "optimizer.lr=0.5", "model.hidden.1.units=16", "model.hidden.0={ units: 2, dropout: 0.5 }",
                "data.train.rows=[2, 9]", "data.valid=null", "stop.early.patience=3", "stop.wall_time=1h",
                "data.normalize.scale=2",
            ])
        #expect(changed.seed == 7)
        #expect(changed.optimizer.lr == 0.5)
        #expect(changed.model.hidden.map(\.units) == [2, 16])
        #expect(changed.model.hidden[0].dropout == 0.5)
        #expect(changed.data.train.files == ["train.h5"])
        #expect(changed.data.train.rows == 2..<9)
        #expect(changed.data.valid == nil)
        #expect(changed.stop.early?.patience == 3)
        #expect(changed.stop.wallTime == .seconds(3600))
        #expect(changed.data.normalize == .scale(2))
    }

    @Test func `a value is JSON5, or else text`() throws {
        #expect(try Job.parse(job, set: ["name=plain text"]).name == "plain text")
        #expect(try Job.parse(job, set: ["name='quoted'"]).name == "quoted")
        #expect(try Job.parse(job, set: ["name=2024"]).name == "2024")
        #expect(try Job.parse(job, set: ["name=1e3"]).name == "1e3")
        #expect(try Job.parse(job, set: ["name=true"]).name == "true")
        #expect(try Job.parse(job, set: ["name=a=b"]).name == "a=b")
        #expect(try Job.parse(job, set: ["metrics=['auc', \"accuracy\"]"]).metrics == [.auc, .accuracy])
        #expect(try Job.parse(job, set: ["data.train.files=2024.h5"]).data.train.files == ["2024.h5"])
        #expect(try Job.parse(job, set: ["data.train=a.h5"]).data.train.files == ["a.h5"])
    }

    @Test func `the last of two equal settings counts`() throws {
        #expect(try Job.parse(job, set: ["seed=3", "seed=4"]).seed == 4)
    }

    @Test(
        arguments: [
            ("seed", "expected a setting and its value, such as optimizer.lr=0.01"),
            ("=3", "expected a setting and its value, such as optimizer.lr=0.01"),
            ("stop..epochs=3", "expected a setting and its value, such as optimizer.lr=0.01"),
            ("optimizer.rl=3", "unknown key \"rl\" in optimizer; did you mean \"lr\"?"),
            ("optimiser.lr=3", "unknown key \"optimiser\"; did you mean \"optimizer\"?"),
            ("lr=3", "unknown key \"lr\"; did you mean \"optimizer.lr\"?"),
            ("model.hidden.2.units=3", "no element \"2\" in model.hidden; its elements are 0 to 1"),
            ("model.hidden.first.units=3", "no element \"first\" in model.hidden; its elements are 0 to 1"),
            ("model.hidden.-1.units=3", "no element \"-1\" in model.hidden; its elements are 0 to 1"),
            ("metrics.0=auc", nil),
            ("seed.value=3", "seed must be an integer from 0 to 18446744073709551615; found an object"),
            ("seed=", "seed must be an integer from 0 to 18446744073709551615; found the text \"\""),
            ("name=null", "name must be a name in quotes, without \"/\" or control characters; found null"),
            ("data.valid={ fraction: 0.1", "the object that begins here is never closed; add \"}\""),
            ("metrics=[accuracy]", "unknown word \"accuracy\"; text needs quotes: \"accuracy\""),
            ("seed={ a: 1, a: 2 }", "duplicate key \"a\"; it is given first here"),
        ] as [(String, String?)])
    func `a wrong setting is named as it was given`(setting: String, message: String?) {
        let file = job.replacing("seed: 1", with: "seed: 1, metrics: [\"accuracy\"]")
        #expect(Job.errors(file, set: [setting]) == (message.map { ["--set \(setting): \($0)"] } ?? []))
    }

    @Test func `a path of any length is refused, not followed`() {
        let setting = String(repeating: "a.", count: 100_000) + "a=1"
        #expect(Job.errors(job, set: [setting]).count == 1)
        let name = "TREADLE_" + Array(repeating: "A", count: 100_000).joined(separator: "__")
        #expect(Job.errors(job, environment: [name: "1"]).count == 1)
    }

    @Test func `an element of an empty list is missed`() {
        #expect(
            Job.errors(Job.short, set: ["model.hidden.0.units=3"]) == [
                "--set model.hidden.0.units=3: no element \"0\" in model.hidden; the list is empty"
            ])
    }

    @Test func `the command line beats the environment, which beats the file`() throws {
        let environment = ["TREADLE_SEED": "2", "TREADLE_STOP__EPOCHS": "5", "TREADLE_MODEL__HIDDEN__0__UNITS": "32"]
        let changed = try Job.parse(job, set: ["seed=3"], environment: environment)
        #expect(changed.seed == 3)
        #expect(changed.stop.epochs == 5)
        #expect(changed.model.hidden[0].units == 32)
        #expect(try Job.parse(job, environment: environment).seed == 2)
    }

    @Test func `names with one underscore keep it, and threads have a short name`() throws {
        let changed = try Job.parse(
            job, environment: ["TREADLE_DATA__BATCH_SIZE": "64", "TREADLE_THREADS": "3", "TREADLE_NAME": "7"])
        #expect(changed.data.batchSize == 64)
        #expect(changed.compute.threads == .value(3))
        #expect(changed.name == "7")
    }

    @Test func `variables that are no settings are left alone`() throws {
        let environment = [
            "PATH": "/bin", "TREADLE": "1", "TREADLE_": "1", "TREADLE_ISA": "avx2",
            "TREADLE_PYTHON": "/usr/bin/python3",
            "TREADLE_MPI_RANKS": "2", "TREADLE_TEST_SEED": "1", "HOME": "/root",
        ]
        #expect(try Job.parse(job, environment: environment) == Job.parse(job))
    }

    @Test(
        arguments: [
            ("TREADLE_LR", "1", "there is no setting \"lr\"; did you mean TREADLE_OPTIMIZER__LR?"),
            ("TREADLE_STOP__EPOCH", "1", "there is no setting \"stop.epoch\"; did you mean TREADLE_STOP__EPOCHS?"),
            ("TREADLE_STOP_EPOCHS", "1", "there is no setting \"stop_epochs\"; did you mean TREADLE_STOP__EPOCHS?"),
            ("TREADLE_COLOUR", "1", "there is no setting \"colour\"; unset it if it is not meant for treadle"),
            (
                "TREADLE_STOP__EPOCHS", "many",
                "stop.epochs must be an integer from 1 to 1000000000; found the text \"many\""
            ),
            ("TREADLE_THREADS", "0", "compute.threads must be \"auto\" or an integer from 1 to 4096; found 0"),
        ])
    func `a wrong variable is named`(name: String, value: String, message: String) {
        #expect(Job.errors(job, environment: [name: value]) == ["\(name): \(message)"])
    }
}
