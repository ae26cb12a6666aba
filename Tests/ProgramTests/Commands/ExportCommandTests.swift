import Foundation
import HDF5
import TestSupport
import Testing

/// Exported models say what `treadle predict` says, in the hands of those who will use them.
@Suite(.serialized, .enabled(if: Python.available, "needs TREADLE_PYTHON with numpy and h5py"))
struct ExportCommandTests {
    let directory: TemporaryDirectory
    static let keras = (try? Python.run(kerasImport))?.code == 0
    private static let kerasImport = "import os; os.environ['KERAS_BACKEND'] = 'jax'; import keras, jax"

    init() throws { directory = try TemporaryDirectory() }

    /// Every activation there is, one layer each.
    private static let everyActivation = [
        "relu", "leaky_relu", "elu", "gelu", "silu", "sigmoid", "tanh", "softplus", "selu", "mish", "identity",
    ].map { "{ units: 12, activation: \"\($0)\" }" }.joined(separator: ", ")

    /// Trains a small model on rows of x with missing values, and predicts the same rows.
    private func train(
        _ task: String, settings: String = "", model: String = "", y: (_ row: Int, _ x: [Float]) -> [Float]
    ) throws {
        let rows = 300
        var x = (0..<rows * 5).map { (i: Int) -> Float in Float(i * 7919 % 1009) / 100 - 4 }
        x[12] = .nan
        let targets = (0..<rows).map { (row: Int) -> [Float] in
            y(row, x[row * 5..<row * 5 + 5].map { $0.isFinite ? $0 : 0 })
        }
        try write(x, targets)
        try directory.write(
            """
            { schema: 1, name: "small", task: "\(task)", data: { train: { files: ["data.h5"] }, batch_size: 32,
              non_finite: "impute_mean" \(task == "regression" ? ", normalize_target: \"standard\"" : "") },
              model: { \(model)hidden: [\(Self.everyActivation)] }, stop: { epochs: 3, early: null }, \(settings) }
            """, to: "job.json5")
        let trained = try Program.run("train", "job.json5", directory: directory)
        #expect(trained.code == 0, "\(trained.errors)")
        let predicted = try Program.run("predict", "runs/small/final.h5", "data.h5", "-o", "p.h5", directory: directory)
        #expect(predicted.code == 0, "\(predicted.errors)")
    }

    /// The file is closed, and its lock gone, when this returns.
    private func write(_ x: [Float], _ targets: [[Float]]) throws {
        let file = try H5File.create(directory.file("data.h5"))
        let width = targets[0].count
        try file.write(x, to: "/x", shape: [targets.count, 5])
        try file.write(
            targets.flatMap { $0 }, to: "/y", shape: width == 1 ? [targets.count] : [targets.count, width])
    }

    private func export(_ name: String, _ options: String...) throws {
        let exported = try Program.run(
            ["export", "runs/small/final.h5", "-o", name] + options, in: directory)
        #expect(exported.code == 0, "\(exported.errors)")
    }

    private func python(_ script: String) throws {
        let finished = try Python.run(
            """
            import numpy as np, h5py, os, sys
            os.chdir(sys.argv[1])
            x = h5py.File('data.h5')['x'][:]; p = h5py.File('p.h5')
            def close(a, b):
                assert a.shape == b.shape, (a.shape, b.shape)
                worst = np.abs(a - b).max() / max(1, np.abs(b).max()); assert worst <= 1e-5, worst
            \(script)
            """, directory.path)
        #expect(finished.code == 0, "\(finished.errors)")
    }

    static let onnx = Python.has("onnx", "onnxruntime")

    @Test(.enabled(if: onnx, "needs onnx and onnxruntime in TREADLE_PYTHON"))
    func `ONNX classifies as predict does`() throws {
        try train("classification", settings: "calibrate: true") { row, x in
            [x[0] + x[1] > 1 ? 2 : Float(row % 2)]
        }
        try export("m.onnx")
        try python(
            """
            import onnx, onnxruntime
            onnx.checker.check_model(onnx.load('m.onnx'), full_check=True)
            probabilities, number = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x})
            close(probabilities, p['probabilities'][:]); assert (number == p['class'][:]).all()
            one, _ = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x[:1]}); assert one.shape == (1, 3)
            """)
    }

    @Test(.enabled(if: onnx, "needs onnx and onnxruntime in TREADLE_PYTHON"))
    func `ONNX finds labels as predict does`() throws {
        try train("multilabel", settings: "calibrate: true") { row, x in
            [x[0] > 0 ? 1 : 0, x[1] > 1 ? 1 : 0, Float(row % 2)]
        }
        try export("m.onnx")
        try python(
            """
            import onnxruntime
            probabilities, label = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x})
            close(probabilities, p['probabilities'][:]); assert (label == p['label'][:]).all()
            """)
    }

    @Test(.enabled(if: onnx, "needs onnx and onnxruntime in TREADLE_PYTHON"), arguments: [1, 2])
    func `ONNX gives quantities in the target's units`(width: Int) throws {
        try train("regression") { _, x in Array([1000 + 40 * x[0] * x[1], x[2]].prefix(width)) }
        try export("m.onnx")
        try python(
            """
            import onnxruntime
            value, = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x})
            close(value.reshape(p['value'].shape), p['value'][:])
            """)
    }

    @Test(.enabled(if: onnx, "needs onnx and onnxruntime in TREADLE_PYTHON"))
    func `ONNX and NPZ have embeddings and factors; Keras has no like, and it is said`() throws {
        try train("regression", settings: "seed: 3, ", model: "scale_inputs: true, embedding: { frequencies: 6 }, ") {
            _, x in [40 * x[0] * x[1]]
        }
        try export("m.onnx")
        try export("m.npz")
        try python(
            """
            import onnx, onnxruntime
            onnx.checker.check_model(onnx.load('m.onnx'), full_check=True)
            value, = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x})
            close(value.reshape(p['value'].shape), p['value'][:])
            m = np.load('m.npz')
            assert m['embedding.columns'].tolist() == [0, 1, 2, 3, 4] and m['input_scale.weight'].shape == (1, 20)
            """)
        try export("m.safetensors")
        for other in ["m.npz", "m.safetensors", "runs/small/final.h5"] {
            let difference = try Program.run("diff", "m.onnx", other, directory: directory)
            #expect(difference.code == 0, "\(difference.output)")
        }
        let refused = try Program.run(
            "export", "runs/small/final.h5", "-o", "m.weights.h5", directory: directory)
        #expect(refused.code == 65 && refused.errors.contains("model.embedding"), "\(refused.errors)")
    }

    @Test(.enabled(if: onnx, "needs onnx and onnxruntime in TREADLE_PYTHON"))
    func `robust inputs and clipped predictions are the same in ONNX, predict, eval and the formula`() throws {
        let rows = 400
        let x = (0..<rows * 5).map { (i: Int) -> Float in Float(i * 7919 % 1009) / 500 - 1 }
        let y = (0..<rows).map { (row: Int) -> [Float] in [3 * x[row * 5] - x[row * 5 + 1]] }
        try write(x, y)
        try directory.write(
            """
            { schema: 1, name: "small", task: "regression",
              data: { train: { files: ["data.h5"] }, valid: null, batch_size: 32, normalize: "robust",
                normalize_target: "standard", clip_predictions: true },
              model: { hidden: [] }, optimizer: { lr: 0.05 }, stop: { epochs: 5, early: null } }
            """, to: "job.json5")
        let trained = try Program.run("train", "job.json5", directory: directory)
        #expect(trained.code == 0, "\(trained.errors)")
        // Far beyond what was trained on.
        try write(x.map { 10 * $0 }, y.map { [10 * $0[0]] })
        let predicted = try Program.run("predict", "runs/small/final.h5", "data.h5", "-o", "p.h5", directory: directory)
        #expect(predicted.code == 0, "\(predicted.errors)")
        try export("m.onnx")
        try export("m.npz")
        let measured = try Program.run(
            "eval", "runs/small/final.h5", "--data", "data.h5", "--json", directory: directory)
        #expect(measured.code == 0, "\(measured.errors)")
        try directory.write(measured.output, to: "eval.json")
        try python(
            """
            import onnxruntime, json
            value, = onnxruntime.InferenceSession('m.onnx').run(None, {'x': x})
            p = p['value'][:]; y = h5py.File('data.h5')['y'][:].reshape(-1)
            close(value.reshape(p.shape), p)
            low, high = np.float32((y / 10).min()), np.float32((y / 10).max())
            assert p.min() == low and p.max() == high, (p.min(), low)
            m = np.load('m.npz'); z = x / 10.0
            q = np.quantile(z, [0.25, 0.5, 0.75], axis=0)
            assert np.allclose(m['normalization.shift'], q[1], 1e-6, 1e-7) and np.allclose(m['normalization.factor'], 1 / (q[2] - q[0]), 1e-5)
            z = (x - m['normalization.shift']) * m['normalization.factor']; z = z / np.sqrt(1 + (z / 3) ** 2)
            v = (z @ m['dense.weight'] + m['dense.bias'])[:, 0] / m['normalization.target_factor'] + m['normalization.target_shift']
            close(np.clip(v, m['normalization.target_low'], m['normalization.target_high']), p)
            text = open('eval.json').read()
            found = [v for k, v in json.loads(text).items() if k == 'rmse'] or [json.loads(text)['metrics']['rmse']]
            rmse = np.sqrt(((p.astype(float) - y) ** 2).mean()); assert abs(found[0] - rmse) < 1e-4 * rmse, (found, rmse)
            """)
    }

    @Test func `NPZ holds the weights, what normalization does, and no more than NumPy needs`() throws {
        try train("classification") { row, _ in [Float(row % 2)] }
        try export("m.npz")
        try python(
            """
            m = np.load('m.npz'); c = h5py.File('runs/small/final.h5')
            for name in c['model']:
                assert (m[name + '.weight'] == c['model'][name]['weight'][:]).all()
                assert (m[name + '.bias'] == c['model'][name]['bias'][:]).all()
            assert m['normalization.shift'].shape == (5,) and m['normalization.imputation'].dtype == 'f8'
            """)
    }

    static let bfloat16 = Python.has("onnx", "onnxruntime", "safetensors", "ml_dtypes")

    @Test(.enabled(if: bfloat16, "needs onnx, onnxruntime, safetensors and ml_dtypes in TREADLE_PYTHON"))
    func `--bf16 rounds the weights as ml_dtypes does, and leaves all else`() throws {
        try train("classification", model: "precision: \"bfloat16\", scale_inputs: true, ") { row, x in
            [x[0] + x[1] > 1 ? 2 : Float(row % 2)]
        }
        for name in ["m.safetensors", "m.onnx"] {
            try export(name)
            try export("rounded-" + name, "--bf16")
        }
        try python(
            """
            import onnx, onnxruntime, safetensors
            from ml_dtypes import bfloat16
            def arrays(path):
                types = {'F32': np.float32, 'F64': np.float64, 'BF16': bfloat16}
                return {name: (t['dtype'], np.frombuffer(t['data'], types[t['dtype']]).reshape(t['shape']))
                        for name, t in safetensors.deserialize(open(path, 'rb').read())}
            whole, rounded = arrays('m.safetensors'), arrays('rounded-m.safetensors')
            assert whole.keys() == rounded.keys() and 'dense_11.weight' in whole
            for name in whole:
                isRounded = name.startswith('dense') and name.endswith('.weight')
                expected = whole[name][1].astype(bfloat16) if isRounded else whole[name][1]
                assert rounded[name][0] == ('BF16' if isRounded else whole[name][0]), name
                assert expected.tobytes() == rounded[name][1].tobytes(), name
            model = onnx.load('rounded-m.onnx')
            onnx.checker.check_model(model, full_check=True)
            seen = 0
            for constant in model.graph.initializer:
                if constant.data_type != onnx.TensorProto.BFLOAT16: continue
                values = onnx.numpy_helper.to_array(constant).astype(np.float32)
                assert (values == whole[constant.name][1].astype(bfloat16).astype(np.float32)).all(); seen += 1
            assert seen == 12, seen
            # Activations are not rounded there.
            probabilities, _ = onnxruntime.InferenceSession('rounded-m.onnx').run(None, {'x': x})
            assert np.abs(probabilities - p['probabilities'][:]).max() < 0.03
            """)
        let refused = try Program.run(
            "export", "runs/small/final.h5", "-o", "m.npz", "--bf16", directory: directory)
        #expect(refused.code == 64 && refused.errors.contains("no bfloat16"))
    }

    @Test(.enabled(if: Python.has("safetensors"), "needs safetensors in TREADLE_PYTHON"))
    func `safetensors holds the same`() throws {
        try train("classification") { row, _ in [Float(row % 2)] }
        try export("m.safetensors")
        try export("m.npz")
        try python(
            """
            from safetensors import safe_open
            n = np.load('m.npz')
            with safe_open('m.safetensors', 'numpy') as m:
                assert m.metadata()['task'] == 'classification'
                assert sorted(m.keys()) == sorted(k for k in n if k not in ('classes', 'columns'))
                for key in m.keys(): assert (m.get_tensor(key) == n[key]).all()
            """)
    }

    @Test(.enabled(if: keras, "needs keras and jax in TREADLE_PYTHON"))
    func `Keras loads the weights and predicts the same`() throws {
        try train("classification") { row, x in [x[0] > 0 ? 1 : Float(row % 2) * 2] }
        try export("m.weights.h5")
        try python(
            """
            \(Self.kerasImport)
            leaky = lambda v: keras.activations.leaky_relu(v, negative_slope=0.01)
            exact = lambda v: keras.activations.gelu(v, approximate=False)
            kinds = ['relu', leaky, 'elu', exact, 'silu', 'sigmoid', 'tanh', 'softplus', 'selu', 'mish', 'linear']
            model = keras.Sequential([keras.Input((5,))] + [keras.layers.Dense(12, activation=a) for a in kinds]
                                     + [keras.layers.Dense(3, activation='softmax')])
            model.load_weights('m.weights.h5')
            n = h5py.File('m.weights.h5')['normalization']
            inputs = np.where(np.isfinite(x), x, n['imputation'][:])
            close(np.asarray(model((inputs - n['shift'][:]) * n['factor'][:])), p['probabilities'][:])
            """)
    }

    @Test func `an unknown extension and an existing file are refused`() throws {
        try directory.write("mine", to: "m.onnx")
        #expect(try Program.run("export", "a.h5", "-o", "m.pt", directory: directory).code == 64)
        #expect(try Program.run("export", "a.h5", "-o", "m.onnx", directory: directory).code == 73)
        #expect(try Program.run("export", "a.h5", "-o", "n.onnx", directory: directory).code == 66)
        #expect(try directory.contents() == ["m.onnx"])
    }
}
