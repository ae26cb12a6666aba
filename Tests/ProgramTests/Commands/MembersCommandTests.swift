import Foundation
import HDF5
import RunTestSupport
import TestSupport
import Testing
import TreadleRun

/// A model with members and folds, in the hands of the program's commands and of other programs.
@Suite(.serialized, .enabled(if: Python.available, "needs TREADLE_PYTHON with numpy and h5py"))
struct MembersCommandTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let rows = 200
        let x = (0..<rows * 4).map { (i: Int) -> Float in Float(i * 7919 % 1009) / 250 - 2 }
        let file = try H5File.create(directory.file("data.h5"))
        try file.write(x, to: "/x", shape: [rows, 4])
        let y = (0..<rows).map { (row: Int) -> Float in
            let (a, b, c) = (x[row * 4], x[row * 4 + 1], x[row * 4 + 2])
            return 5 * a - b * c + 100
        }
        try file.write(y, to: "/y")
        let classes = (0..<rows).map { (row: Int) -> Int in x[row * 4] > 0.5 ? 2 : row % 2 }
        try file.write(classes, to: "/c")
    }

    private func train(_ settings: String..., task: String = "regression") throws {
        try directory.write(
            """
            { schema: 1, name: "many", task: "\(task)",
              data: { train: { files: ["data.h5"], y: "\(task == "regression" ? "/y" : "/c")" }, batch_size: 32,
                valid: { folds: 4 } \(task == "regression" ? ", normalize_target: \"standard\"" : "") },
              model: { hidden: [{ units: 12, activation: "selu" }], members: 4, vary: { units: [16, 48] } },
              stop: { epochs: 3 }, optimizer: { lr: 0.01 } }
            """, to: "job.json5")
        try run(["train", "job.json5"] + settings.flatMap { ["--set", $0] })
    }

    @discardableResult
    private func run(_ arguments: [String], code: Int32 = 0) throws -> (output: String, errors: String) {
        let finished = try Program.start(arguments, directory: directory).finish()
        #expect(finished.code == code, "\(arguments): \(finished.errors)")
        return (finished.output, finished.errors)
    }

    private func python(_ script: String) throws {
        let finished = try Python.run(
            """
            import numpy as np, h5py, os, sys, json
            os.chdir(sys.argv[1])
            x = h5py.File('data.h5')['x'][:]; y = h5py.File('data.h5')['y'][:]; m = h5py.File('runs/many/final.h5')
            \(script)
            """, directory.path)
        #expect(finished.code == 0, "\(finished.errors)")
    }

    /// The members' answers by NumPy, from the exported arrays.
    private static let answers = """
        w = np.load('m.npz')
        z = (x - w['normalization.shift']) * w['normalization.factor']
        def selu(v): return 1.0507009873554805 * np.where(v > 0, v, 1.6732632423543772 * np.expm1(v))
        def member(k):
            v = selu(z @ w[f'm{k}/dense.weight'] + w[f'm{k}/dense.bias'])
            return v @ w[f'm{k}/dense_1.weight'] + w[f'm{k}/dense_1.bias']
        outputs = np.stack([member(k) for k in range(1, 5)])

        """

    @Test func `predictions are the members' mean and spread, as NumPy computes them from the export`() throws {
        try train()
        try run(["predict", "runs/many/final.h5", "data.h5", "-o", "p.h5", "--spread"])
        let table = try run(["predict", "runs/many/final.h5", "data.h5", "-o", "-", "--spread"]).output
        #expect(table.hasPrefix("value,spread\n"))
        try run(["export", "runs/many/final.h5", "-o", "m.npz"])
        try python(
            Self.answers + """
                values = outputs[:, :, 0] / w['normalization.target_factor'] + w['normalization.target_shift']
                p = h5py.File('p.h5')
                assert np.abs(p['value'][:] - values.mean(0)).max() < 1e-3
                assert np.abs(p['spread'][:] - values.std(0)).max() < 1e-3 and p['spread'][:].min() > 0
                """)
    }

    @Test func `eval without data judges every row by the members that have not learnt from it`() throws {
        try train()
        let own = try run(["eval", "runs/many/final.h5", "--json"]).output
        let all = try run(["eval", "runs/many/final.h5", "--data", "data.h5", "--json"]).output
        try directory.write(own, to: "own.json")
        try directory.write(all, to: "all.json")
        let lines = try String(contentsOfFile: directory.file("runs/many/metrics.jsonl"), encoding: .utf8)
        #expect(lines.contains("valid.rmse"))
        try python(
            """
            own, all = json.load(open('own.json')), json.load(open('all.json'))
            last = m['treadle/history/metrics']
            assert own['set'] == 'valid' and own['rows'] == 200
            assert abs(own['loss'] - last['valid.loss'][-1]) < 1e-12 and abs(own['rmse'] - last['valid.rmse'][-1]) < 1e-9
            assert own['rmse'] != all['rmse']
            """)
    }

    static let onnx = Python.has("onnx", "onnxruntime")

    @Test(
        .enabled(if: onnx, "needs onnx and onnxruntime in TREADLE_PYTHON"), arguments: ["regression", "classification"])
    func `ONNX holds the mean`(task: String) throws {
        try train(task: task)
        try run(["predict", "runs/many/final.h5", "data.h5", "-o", "p.h5"])
        try run(["export", "runs/many/final.h5", "-o", "m.onnx"])
        try python(
            """
            import onnx, onnxruntime
            onnx.checker.check_model(onnx.load('m.onnx'), full_check=True)
            found = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x})
            p = h5py.File('p.h5'); name = 'value' if 'value' in p else 'probabilities'
            worst = np.abs(found[0].reshape(p[name].shape) - p[name][:]).max(); assert worst < 1e-3, worst
            if name == 'probabilities': assert (found[1] == p['class'][:]).all()
            """)
    }

    @Test(
        .enabled(if: onnx, "needs onnx and onnxruntime in TREADLE_PYTHON"),
        arguments: [#"{ frequencies: 5, sigma: 0.4 }"#, #"{ type: "piecewise", bins: 6 }"#])
    func `ONNX holds members with an embedding`(embedding: String) throws {
        try train("model.embedding=\(embedding)", "model.scale_inputs=true", "data.normalize=robust", "stop.epochs=2")
        try run(["predict", "runs/many/final.h5", "data.h5", "-o", "p.h5"])
        try run(["export", "runs/many/final.h5", "-o", "m.onnx"])
        try python(
            """
            import onnx, onnxruntime
            onnx.checker.check_model(onnx.load('m.onnx'), full_check=True)
            found = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x})
            worst = np.abs(found[0].reshape(-1) - h5py.File('p.h5')['value'][:]).max(); assert worst < 1e-3, worst
            """)
    }

    @Test func `a piecewise linear embedding predicts as its formula in NumPy, from the export`() throws {
        try train(
            #"model.embedding={ type: "piecewise", bins: 6, outputs: 2 }"#, "model.members=1", "data.valid=null",
            "model.vary=null", "model.scale_inputs=true")
        try run(["predict", "runs/many/final.h5", "data.h5", "-o", "p.h5"])
        try run(["export", "runs/many/final.h5", "-o", "m.npz"])
        try python(
            """
            w = np.load('m.npz')
            z = (x - w['normalization.shift']) * w['normalization.factor']
            columns = w['embedding.columns'].astype(int); G = len(columns); K = w['embedding.weight'].size // G
            ramps = np.clip(np.tile(z[:, columns], K) * w['embedding.weight'] + w['embedding.bias'], 0, 1)
            l = w['embedding_1.weight'].reshape(K, -1, G)
            e = np.einsum('nkg,kog->nog', ramps.reshape(-1, K, G), l).reshape(len(x), -1) + w['embedding_1.bias']
            v = np.concatenate([z, e], 1) * w['input_scale.weight']
            v = v @ w['dense.weight'] + w['dense.bias']
            v = 1.0507009873554805 * np.where(v > 0, v, 1.6732632423543772 * np.expm1(v))
            v = v @ w['dense_1.weight'] + w['dense_1.bias']
            v = v / w['normalization.target_factor'] + w['normalization.target_shift']
            assert G == 4 and K == 6 and np.abs(v[:, 0] - h5py.File('p.h5')['value'][:]).max() < 1e-3
            """)
    }

    @Test(arguments: [#"{ frequencies: 4, sigma: 0.4 }"#, #"{ type: "piecewise", bins: 4 }"#])
    func `members with an embedding that are killed at any step go on to the same bits`(embedding: String) throws {
        let settings = [
            "model.embedding=\(embedding)", "model.scale_inputs=true", "stop.epochs=4",
            "checkpoint.every={ steps: 1, epochs: 1 }", "stop.early={ patience: 5 }",
        ]
        try train(settings[0], settings[1], settings[2], settings[3], settings[4], "checkpoint.dir=runs/calm")
        let calm = try CheckpointFile.read(directory.file("runs/calm/final.h5"))
        let line = ["train", "job.json5", "--quiet", "--threads", "1"] + settings.flatMap { ["--set", $0] }
        for wanted in [2, 9, 17] {
            let process = try Program.start(line, directory: directory)
            #expect(eventually { directory.steps(in: "runs/many").contains { $0 >= wanted } || !process.isRunning })
            kill(process.identifier, SIGKILL)
            _ = try process.finish()
        }
        try run(line)
        let found = try CheckpointFile.read(directory.file("runs/many/final.h5"))
        #expect(found.parameterDigest == calm.parameterDigest && found.optimizer == calm.optimizer)
        #expect(found.progress.members == calm.progress.members)
        #expect(found.history.map(\.metrics) == calm.history.map(\.metrics))
    }

    @Test func `other commands know members, and say what does not go`() throws {
        try train()
        let facts = try run(["inspect", "runs/many/final.h5"]).output
        #expect(
            facts.contains("m4/dense_1") && facts.contains("whose answers are averaged")
                && facts.contains("best on its fold"))
        #expect(try run(["verify", "runs/many/final.h5"]).output.contains("ok"))
        try run(["reproduce", "runs/many/final.h5"])
        try run(["gradcheck", "job.json5"])
        try run(["check", "job.json5"])
        let difference = try run(["diff", "runs/many/final.h5", "runs/many/step-00000007.h5"], code: 1)
        #expect(difference.output.contains("m1/dense"))
        try run(["export", "runs/many/final.h5", "-o", "m.safetensors"])
        let keras = try run(["export", "runs/many/final.h5", "-o", "m.weights.h5"], code: 64).errors
        #expect(keras.contains("Keras loads weights into one network"))
        try train("model.members=1", "data.valid=null", "model.vary=null", "checkpoint.dir=runs/one")
        let one = try run(["predict", "runs/one/final.h5", "data.h5", "-o", "-", "--spread"], code: 64).errors
        #expect(one.contains("is one network, which cannot disagree with others"))
    }

    @Test func `retraining starts each member from its own weights`() throws {
        let settings = ["data.valid={ fraction: 0.2 }", "retrain={}", "stop.early=null"]
        try train(settings[0], settings[1], settings[2])
        let arguments = settings.flatMap { ["--set", $0] }
        try run(["retrain", "job.json5", "--promote-anyway"] + arguments)
        try run(["retrain", "job.json5", "--set", "retrain.when=always"] + arguments)
        let inspected = try run(["inspect", "models/many.h5"]).output
        #expect(inspected.contains("m4/dense"))
    }

    @Test func `with folds, retraining judges old and new members by rows that neither has learnt from`() throws {
        let settings = ["retrain={}", "stop.early=null"].flatMap { ["--set", $0] }
        try train("retrain={}", "stop.early=null")
        #expect(try run(["retrain", "job.json5"] + settings).output.contains("promoted"))
        let served = try CheckpointFile.read(directory.file("models/many.h5"))
        // Rows are appended: those of before stay in their folds.
        try python(
            """
            rows = np.concatenate([x, x[:40] + 0.125]); y = 5 * rows[:, 0] - rows[:, 1] * rows[:, 2] + 100
            with h5py.File('data.h5', 'w') as f: f['x'] = rows; f['y'] = y.astype('f4')
            """)
        let old = try run(["eval", "models/many.h5", "--json"]).output
        let report = try run(["retrain", "job.json5", "--json", "--set", "retrain.promote.tolerance=1000"] + settings)
        try directory.write(old, to: "old.json")
        try directory.write(report.output, to: "report.json")
        try python(
            """
            old, report = json.load(open('old.json')), json.load(open('report.json'))
            assert report['outcome'] == 'promoted' and report['metric'] == 'valid.loss', report
            assert old['rows'] == 240 and abs(old['loss'] - report['old']) < 1e-9 * old['loss'], (old, report)
            """)
        let next = try CheckpointFile.read(directory.file("models/many.h5"))
        #expect(next.parameterDigest != served.parameterDigest)
        // Other folds would judge the promoted model by rows that it has learnt from.
        let other = try run(["retrain", "job.json5", "--set", "seed=5"] + settings, code: 78).errors
        #expect(other.contains("trained with 4 folds, 4 members and seed 0"), "\(other)")
        try run(["retrain", "job.json5", "--set", "data.valid={ fraction: 0.2 }"] + settings, code: 78)
        // Another seed draws other units for the members: nothing of the old weights fits.
        let cold = settings + ["--set", "retrain.start=cold", "--set", "seed=5"]
        try run(["retrain", "job.json5", "--promote-anyway"] + cold)
        let sure = ["--set", "retrain.when=always", "--set", "retrain.promote.confidence=0.5"]
        try run(["retrain", "job.json5"] + cold + sure)
    }
}
