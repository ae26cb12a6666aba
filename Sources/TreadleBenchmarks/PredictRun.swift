internal import Foundation
internal import Treadle

/// Prediction in memory as one of the systems that Scripts/benchmark compares, through the public library alone.
///
/// Driven line by line on standard input as Scripts/benchmarks/predict_onnx.py is: `run ROWS SECONDS` predicts so many
/// rows a call for so long. First it says what it predicts for the rows that the others predict as well.
struct PredictRun {
    private let model: Model
    private let threads: Int
    private let rows: [Float]

    /// `path` is a checkpoint's, `rows` that of a file of Float32 numbers, row after row.
    init(path: String, rows: String, threads: Int) throws {
        model = try Model(contentsOf: path)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: rows))
        self.rows = unsafe bytes.withUnsafeBytes { unsafe Array($0.bindMemory(to: Float.self)) }
        self.threads = threads
    }

    func serve() throws {
        answer("{\"started\": \"treadle\"}")
        let first = try model.predict(Array(rows.prefix(20 * model.inputs)), threads: threads)
        answer(
            "{\"ready\": \"treadle\", \"losses\": \(first.values.map(Double.init)), \"version\": \"treadle \(version)\"}"
        )
        while let line = readLine() {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "run", let count = Int(words[1]), let seconds = Double(words[2]) else {
                return
            }
            answer(try run(rows: count, seconds: seconds))
        }
    }

    /// Calls of `count` rows, other rows each time.
    private func run(rows count: Int, seconds: Double) throws -> String {
        let size = count * model.inputs
        let inputs = stride(from: 0, to: rows.count - size + 1, by: size).map { Array(rows[$0..<$0 + size]) }
        for input in inputs.prefix(3) { _ = try model.predict(input, threads: threads) }
        var calls = 0
        let start = Clock.wallTime()
        var elapsed = 0.0
        repeat {
            // The clock takes as long as a small prediction: it is looked at now and then.
            for _ in 0..<max(1, 64 / count) {
                _ = try model.predict(inputs[calls % inputs.count], threads: threads)
                calls += 1
            }
            elapsed = Clock.wallTime() - start
        } while elapsed < seconds
        return "{\"seconds\": \(elapsed), \"calls\": \(calls)}"
    }

    private func answer(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}
