import Foundation
import Synchronization
import Treadle

// The examples of the library's documentation, line for line, so that a compiler has seen them: Scripts/test looks here for
// each of their lines. They are not run.

private struct Progress { func update(_ loss: Double) {} }

private func configurations() throws {
    let file = try Configuration(contentsOf: "churn.json5", overrides: ["optimizer.lr=0.01"])
    let text = try Configuration(
        json5: "{ name: 'churn', data: { train: 'train.h5' }, model: { hidden: [{ units: 64 }] } }",
        baseDirectory: "/srv/churn")
    print(file.name, text.directory)
}

private func configurationFromFile() throws {
    let configuration = try Configuration(contentsOf: "churn.json5", overrides: ["stop.epochs=5"])
    print(configuration.directory)  // /srv/churn/runs/churn
    try configuration.resolvedText.write(toFile: "resolved.json5", atomically: true, encoding: .utf8)
}

private func configurationFromText() throws {
    let configuration = try Configuration(
        json5: "{ name: 'churn', data: { train: 'train.h5' }, model: { hidden: [{ units: 64 }] } }",
        baseDirectory: "/srv/churn")
    _ = configuration
}

private func stopping(_ configuration: Configuration) throws {
    let stop = Stop()
    Task {
        try await Task.sleep(for: .seconds(3600))
        stop.request()
    }
    let summary = try train(configuration, stop: stop)
    if summary.ending.isFinal { print("nothing is left to train") }
    if stop.isRequested { print("stopping") }
}

private func training() throws {
    let configuration = try Configuration(contentsOf: "churn.json5")
    let summary = try train(configuration) { event in
        if case .epoch(let record) = event { print(record.epoch, record.metrics) }
    }
    print(summary.ending, summary.checkpoint ?? "")
    for record in summary.history { print(record.epoch, record.metrics["valid.loss"] ?? .nan) }
}

private func trainingAlone(_ configuration: Configuration) throws {
    let summary = try train(configuration)
    print(summary.ending, summary.metrics["valid.loss"] ?? .nan, summary.checkpoint ?? "")
}

private func events(_ configuration: Configuration, _ progress: Progress) throws {
    let summary = try train(configuration) { event in
        switch event {
        case .note(let level, let text): print("\(level): \(text)")
        case .began(let overview): print("\(overview.trainRows) rows")
        case .step(let report): progress.update(report.loss)
        case .epoch(let record): print(record.epoch, record.metrics)
        case .saved(let path, let cursor): print("\(path) at step \(cursor.step)")
        case .finished(let summary): print(summary.ending)
        }
    }
    _ = summary
}

private func reports(_ event: RunEvent) {
    if case .note(.warning, let text) = event { print(text) }
    if case .began(let overview) = event { print("\(overview.trainRows) rows, \(overview.epochs) epochs") }
    if case .step(let report) = event { print(report.cursor.step, report.loss) }
    if case .saved(let path, let cursor) = event { print("\(path): epoch \(cursor.epoch), step \(cursor.step)") }
}

private func errors() {
    do {
        let model = try Model(contentsOf: "models/churn.h5")
        print(model.digest)
    } catch {
        for message in error.messages { print("\(error.kind): \(message)") }
        if error.kind == .tryAgain { print("later") }
    }
}

private func models() throws {
    let model = try Model(contentsOf: "models/churn.h5")
    let predictions = try model.predict([0.5, 1.25, 3] as [Float])
    print(predictions.values)
    if model.task == .classification { print(model.classes ?? []) }
}

private func modelOfRun(_ table: [Float]) throws {
    let model = try Model(contentsOf: "runs/churn/final.h5")
    let one = try model.predict([5.1, 3.5, 1.4, 0.2] as [Float])
    let many = try model.predict(table, threads: 4)
    _ = (one, many)
}

private func predictions(_ model: Model) throws {
    let predictions = try model.predict([5.1, 3.5, 1.4, 0.2] as [Float])
    if let best = predictions.classIndices?[0], let names = model.classes {
        print(names[best], predictions[0][best])
    }
    let probabilities = Array(predictions[0])
    _ = probabilities
}

private func predictionsOfDoubles(_ model: Model) throws {
    let predictions = try model.predict([5.1, 3.5, 1.4, 0.2] as [Double])
    _ = predictions
}

private func evaluation(_ model: Model) throws {
    let evaluation = try model.evaluate(files: ["data/test.h5"])
    print(evaluation.loss, evaluation.metrics["accuracy"] ?? 0)
}

private func inspections() throws {
    let inspection = try Inspection(contentsOf: "runs/churn/final.h5")
    for sign in inspection.signs { print("\(sign.severity): \(sign.finding); \(sign.meaning)") }
    print(inspection.digest, inspection.signs.map(\.finding))
    let alarms = inspection.signs.filter { $0.severity == .alarm }
    print(alarms.count)
    if inspection.signs.contains(where: { $0.severity == .alarm }) { print("do not serve this model") }
    for layer in inspection.layers { print("\(layer.name): \(layer.dead.count) of \(layer.units) units are dead") }
    for tensor in inspection.tensors { print(tensor.name, tensor.shape, tensor.statistics.norm) }
    if let statistics = inspection.tensors.first?.statistics { print(statistics.mean, statistics.spread) }
    try inspection.jsonText.write(toFile: "inspection.json", atomically: true, encoding: .utf8)
}

private func versions() {
    print("trained by Treadle \(version)")
}

// The articles.

private func overview() throws {
    let summary = try train(Configuration(contentsOf: "churn.json5"))
    let model = try Model(contentsOf: summary.checkpoint ?? "runs/churn/final.h5")
    print(try model.predict([0.5, 1.25, 3] as [Float]).values)
}

private func atStart() throws {
    let model = try Model(contentsOf: "models/churn.h5")
    print("\(model.task) by \(model.inputs) inputs: \(model.columns ?? [])")
}

private func answer(_ request: [String: Float], by model: Model) throws -> String {
    let row = (model.columns ?? []).map { request[$0] ?? .nan }
    let predictions = try model.predict(row)
    let best = predictions.classIndices?[0] ?? 0
    return "\(model.classes?[best] ?? String(best)): \(predictions[0][best])"
}

private struct InServer {
    final class Served: Sendable {
        private let path: String
        private let current: Mutex<Model>

        init(path: String) throws {
            self.path = path
            current = Mutex(try Model(contentsOf: path))
        }

        var model: Model { current.withLock { $0 } }

        /// Whether another model is served from now on.
        func reload() throws -> Bool {
            let found = try Model(contentsOf: path)
            return current.withLock { served in
                defer { served = found }
                return served.digest != found.digest
            }
        }
    }

    func runs() {
        let stop = Stop()
        let training = Thread {
            do {
                let configuration = try Configuration(contentsOf: "churn.json5")
                let summary = try train(configuration, stop: stop) { event in
                    if case .epoch(let record) = event { print(record.epoch, record.metrics) }
                }
                print(summary.ending, summary.checkpoint ?? "")
            } catch {
                print(error)
            }
        }
        training.start()
        // When the server shuts down:
        stop.request()
    }
}
