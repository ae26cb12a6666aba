import Foundation
import TestSupport
import Testing
import TreadleData
import TreadleModel
import TreadleRun
import RunTestSupport

/// Other programs' views of the same file.
@Suite struct CheckpointInteroperationTests {
    @Test(.enabled(if: Python.available, "TREADLE_PYTHON names no Python with h5py"))
    func `h5py reads every part through the user block`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        // The first layer is large enough to be written past libhdf5.
        let checkpoint = sampleCheckpoint(hidden: [5000, 3])
        try CheckpointFile.write(checkpoint, to: path)
        let script = """
            import h5py, json, sys
            f = h5py.File(sys.argv[1], 'r')
            state = f['treadle']
            for name in ['dense', 'dense_1', 'dense_2']:
                layer, plain = f['layers'][name]['vars'], f['model'][name]
                assert layer['0'] == plain['weight'] and layer['1'] == plain['bias']
            print(json.dumps({
                'userblock': f.userblock_size,
                'weight': f['model/dense/weight'][()].ravel().tolist(),
                'dtype': str(f['model/dense/weight'].dtype),
                'shape': list(f['layers/dense/vars/0'].shape),
                'config': json.loads(state['config'][()].decode())['name'],
                'classes': [x.decode() for x in state['classes'][()]],
                'shift': state['normalization/shift'][()].tolist(),
                'v': state['optimizer/v/dense_2/bias'][()].tolist(),
                'slots': list(state['optimizer'].attrs['slots']),
                'step': int(state['cursor'].attrs['step']),
                'best': float(state['progress'].attrs['best']),
                'loss': state['history/metrics/loss'][()].tolist(),
                'format': int(state.attrs['format']),
                'fingerprint': state.attrs['fingerprint'],
                'activation': f['model/dense'].attrs['activation'],
            }))
            """
        let result = try Python.run(script, path)
        #expect(result.code == 0, "\(result.errors)")
        let seen = try JSONDecoder().decode(Seen.self, from: Data(result.output.utf8))
        #expect(seen.weight == checkpoint.parameters[0].weight.doubles)
        #expect(seen.dtype == "float32")
        #expect(seen.shape == [4, 5000])
        #expect(seen.config == "Wärme")
        #expect(seen.classes == checkpoint.classes)
        #expect(seen.shift == checkpoint.normalization.shift)
        #expect(seen.v == checkpoint.optimizer.slots[1].layers[2].bias?.doubles)
        #expect(seen.slots == ["m", "v"])
        #expect(seen.step == 1200)
        #expect(seen.best == 0.5)
        #expect(seen.loss == [0.9, 0.7, 0.3])
        #expect(seen.format == 1)
        #expect(seen.fingerprint == checkpoint.fingerprint)
        #expect(seen.activation == "relu")
    }

    private struct Seen: Decodable {
        var userblock: Int
        var weight: [Double]
        var dtype: String
        var shape: [Int]
        var config: String
        var classes: [String]
        var shift: [Double]
        var v: [Double]
        var slots: [String]
        var step: Int
        var best: Double
        var loss: [Double]
        var format: Int
        var fingerprint: String
        var activation: String
    }

    @Test(.enabled(if: Python.has("keras"), "TREADLE_PYTHON names no Python with Keras"))
    func `Keras loads the file as its weights and predicts what they say`() throws {
        let directory = try TemporaryDirectory()
        // Keras tells its formats apart by this ending.
        let path = directory.file("a.weights.h5")
        let checkpoint = sampleCheckpoint()
        try CheckpointFile.write(checkpoint, to: path)
        let rows: [[Double]] = (0..<7).map { row in
            (0..<4).map { (column: Int) -> Double in
                let number = (row * 31 + column * 17) % 13
                return Double(number) / 6 - 1
            }
        }
        let script = """
            import json, sys, keras, numpy
            dense = keras.layers.Dense
            model = keras.Sequential([
                keras.Input((4,)), dense(5, activation='relu'), keras.layers.Dropout(0.25),
                dense(3, activation='relu'), dense(2)])
            model.load_weights(sys.argv[1])
            print(json.dumps(model.predict(numpy.array(json.loads(sys.argv[2])), verbose=0).tolist()))
            """
        let result = try Python.run(script, path, "\(rows)")
        #expect(result.code == 0, "\(result.errors)")
        let line = result.output.split(separator: "\n").last.map(String.init) ?? ""
        let predicted = try JSONDecoder().decode([[Double]].self, from: Data(line.utf8))
        for (row, outputs) in zip(rows, predicted) {
            for (expected, output) in zip(forward(row, through: checkpoint), outputs) {
                // Three layers of a handful of float32 terms below 1: some 1e-6 of rounding.
                #expect(abs(expected - output) < 1e-5)
            }
        }
        #expect(predicted.count == rows.count)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/h5dump"), "h5dump is not installed"))
    func `h5dump reads the file`() throws {
        let directory = try TemporaryDirectory()
        try CheckpointFile.write(sampleCheckpoint(), to: directory.file("a.h5"))
        let result = try Spawned("/usr/bin/h5dump", ["-d", "/model/dense/weight", directory.file("a.h5")]).finish()
        #expect(result.code == 0)
        #expect(
            result.output.contains("DATASPACE  SIMPLE { ( 4, 5 ) / ( 4, 5 ) }"))
    }

    /// The network in Float64, straight from the formulas.
    private func forward(_ row: [Double], through checkpoint: Checkpoint) -> [Double] {
        var values = row
        for (layer, parameters) in zip(checkpoint.network.layers, checkpoint.parameters) {
            let weight = parameters.weight.doubles
            let bias = parameters.bias?.doubles ?? []
            values = (0..<layer.units).map { unit in
                let sum = values.indices.reduce(bias[unit]) { $0 + values[$1] * weight[$1 * layer.units + unit] }
                return layer.activation == .relu ? max(0, sum) : sum
            }
        }
        return values
    }
}

extension Tensor {
    /// The elements, widened.
    var doubles: [Double] {
        switch storage {
        case .float32(let values): values.map(Double.init)
        case .float64(let values): values
        }
    }
}
