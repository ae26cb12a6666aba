import Foundation
import Treadle

/// Does what a program around the library does, and ends with 1 at the first thing that is not as it should be.
///
///     Client churn.h5
///
/// `churn.h5` is 400 rows of `treadle generate churn`.
@main struct Client {
    static func main() async {
        guard CommandLine.arguments.count == 2 else { fail("usage: Client churn.h5") }
        let data = URL(fileURLWithPath: CommandLine.arguments[1]).path
        let directory = FileManager.default.temporaryDirectory.appending(path: "client-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let host = Host()
            let streams = try StandardStreams(in: directory)
            let client = Client(data: data, directory: directory.path)
            do {
                let digest = try client.trainWithEvents()
                try client.stopAndResume(digest)
                try await client.trainTwiceAtOnce(digest)
                let model = try Model(contentsOf: client.final("events"))
                try await client.predictFromEightTasks(model)
                try client.evaluateAndInspect(model, digest)
                client.refuse(model)
            } catch {
                streams.restore()
                fail("\(error)")
            }
            let written = streams.restore()
            expect(written.isEmpty, "the library wrote to a standard stream: \(written)")
            expect(host == Host(), "the library changed what the process does with signals, or left a child")
            print("client: all as it should be, with treadle \(version)")
        } catch {
            fail("\(error)")
        }
    }

    let data: String
    let directory: String

    func final(_ name: String) -> String { "\(directory)/runs/\(name)/final.h5" }

    /// The same training in a directory of its own.
    func configuration(_ name: String) throws -> Configuration {
        try Configuration(
            json5: """
                { name: "\(name)", seed: 7,
                  data: { train: "\(data)", valid: { fraction: 0.2 }, batch_size: 16 },
                  model: { hidden: [ { units: 16, activation: "tanh" } ] },
                  stop: { epochs: 4, early: null } }
                """, baseDirectory: directory, overrides: ["optimizer.lr=0.01"])
    }

    func trainWithEvents() throws -> String {
        let configuration = try configuration("events")
        expect(configuration.name == "events" && configuration.task == .classification, "the configuration is another")
        let events = Events()
        let summary = try train(configuration) { events.take($0) }
        expect(summary.ending == .completed, "the run ended by \(summary.ending)")
        expect(events.log.first == "began" && events.log.last == "finished", "events out of order: \(events.log)")
        expect(events.log.filter { $0 == "epoch" }.count == 4, "not one event an epoch")
        expect(events.log.filter { $0 == "step" }.count == summary.cursor.step, "not one event a step")
        expect(events.log.contains("saved"), "no event of a checkpoint")
        expect(summary.metrics["valid.loss"].map { $0 < 0.7 } == true, "nothing was learnt: \(summary.metrics)")
        try expect(train(configuration).ending == .alreadyComplete, "the run began anew")
        guard let digest = summary.digest else { fail("a finished run has no digest") }
        return digest
    }

    func stopAndResume(_ digest: String) throws {
        let stop = Stop()
        let first = try train(configuration("stopped"), stop: stop) { event in
            if case .step(let report) = event, report.cursor.step == 29 { stop.request() }
        }
        expect(first.ending == .interrupted && first.cursor.step == 29, "not stopped in the middle: \(first.cursor)")
        let second = try train(configuration("stopped"))
        expect(second.ending == .completed, "the run was not continued to its end: \(second.ending)")
        expect(second.digest == digest, "a run that was stopped has other weights")
    }

    func trainTwiceAtOnce(_ digest: String) async throws {
        async let one = Task.detached { try train(configuration("one")).digest }.value
        async let other = Task.detached { try train(configuration("other")).digest }.value
        let digests = try await [one, other]
        expect(digests == [digest, digest], "two runs at once disturbed each other")
    }

    func predictFromEightTasks(_ model: Model) async throws {
        let rows = (0..<256).map { row in (0..<model.inputs).map { Float(sin(Double(row * 31 + $0 * 7))) } }
        let whole = try model.predict(rows.flatMap { $0 })
        expect(
            whole.rows == 256 && whole.width == 2 && whole.classIndices?.count == 256, "predictions of another shape")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for row in stride(from: task, to: 256, by: 8) {
                        let single = try model.predict(rows[row], threads: 1)
                        expect(single.values == Array(whole[row]), "row \(row) alone is predicted otherwise")
                        expect(single.classIndices == [whole.classIndices?[row] ?? -1], "row \(row) has another class")
                    }
                }
            }
            try await group.waitForAll()
        }
        let doubles = try model.predict(rows[3].map(Double.init))
        expect(doubles.values == Array(whole[3]), "the same numbers as Double are predicted otherwise")
    }

    func evaluateAndInspect(_ model: Model, _ digest: String) throws {
        let evaluation = try model.evaluate(files: [data])
        expect(evaluation.rows == 400 && evaluation.metrics["accuracy"].map { $0 > 0.5 } == true, "\(evaluation)")
        expect(model.digest == digest && model.task == .classification, "the model is another")
        let inspection = try Inspection(contentsOf: final("events"))
        expect(inspection.digest == digest, "inspection finds other weights")
        expect(inspection.layers.map(\.units) == [16, 2], "inspection finds other layers")
        expect(inspection.tensors.allSatisfy { $0.statistics.nan == 0 }, "inspection finds NaN")
        expect(inspection.jsonText.contains(digest), "the JSON text lacks the digest")
    }

    /// Whatever is wrong is an error, with words.
    func refuse(_ model: Model) {
        let row = [Float](repeating: 0.5, count: model.inputs)
        refuse(.usage, "rows of another length") { try _ = model.predict(row + [1]) }
        refuse(.badData, "NaN") { try _ = model.predict(row.dropLast() + [.nan]) }
        refuse(.usage, "no threads") { try _ = model.predict(row, threads: 0) }
        refuse(.usage, "no files") { try _ = model.evaluate(files: []) }
        refuse(.noInput, "a missing model") { try _ = Model(contentsOf: directory + "/missing.h5") }
        refuse(.badData, "data in a model's place") { try _ = Model(contentsOf: data) }
        refuse(.configuration, "an unknown key") {
            try _ = Configuration(json5: "{ nmae: 'x' }", baseDirectory: directory)
        }
        refuse(.noInput, "missing data") {
            let configuration = try configuration("missing")
            try _ = train(
                Configuration(
                    json5: configuration.resolvedText, baseDirectory: directory, overrides: ["data.train.files=no.h5"]))
        }
        guard let whole = FileManager.default.contents(atPath: final("events")) else { fail("the model is gone") }
        for place in stride(from: 0, to: whole.count, by: 997) {
            var damaged = whole
            damaged[place] ^= 0x10
            refuse(.badData, "damage at byte \(place)") { try open(damaged) }
            refuse(.badData, "a file cut at byte \(place)") { try open(whole.prefix(place)) }
        }
        let none = try? model.predict([Float]())
        expect(none?.rows == 0 && none?.values.isEmpty == true, "no rows give predictions")
    }

    private func open(_ bytes: Data) throws(TreadleError) {
        let path = directory + "/damaged.h5"
        guard FileManager.default.createFile(atPath: path, contents: bytes) else { fail("\(path) cannot be written") }
        _ = try Model(contentsOf: path)
    }

    private func refuse(_ kind: TreadleError.Kind, _ what: String, _ body: () throws -> Void) {
        do {
            try body()
        } catch let error as TreadleError {
            expect(error.kind == kind && !error.messages.isEmpty, "\(what): \(error.kind), \(error)")
            return
        } catch {
            fail("\(what): \(error)")
        }
        fail("\(what) was accepted")
    }
}

/// What a run has told, by kind.
final class Events: @unchecked Sendable {
    private let lock = NSLock()
    private var kinds: [String] = []

    var log: [String] { lock.withLock { kinds } }

    func take(_ event: RunEvent) {
        let kind: String? =
            switch event {
            case .note: nil
            case .began: "began"
            case .step: "step"
            case .epoch: "epoch"
            case .saved: "saved"
            case .finished: "finished"
            }
        if let kind { lock.withLock { kinds.append(kind) } }
    }
}

/// What of this process a library may not touch.
struct Host: Equatable {
    private let handlers: [UInt]
    private let hasChild: Bool

    init() {
        handlers = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGBUS, SIGXCPU, SIGXFSZ, SIGCHLD].map {
            signal in
            var action = sigaction()
            sigaction(signal, nil, &action)
            return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
        }
        hasChild = waitpid(-1, nil, WNOHANG) != -1
    }
}

/// Standard output and error, caught in a file.
final class StandardStreams {
    private let path: String
    private let kept: [Int32]

    init(in directory: URL) throws {
        path = directory.appending(path: "streams").path
        fflush(nil)
        kept = [dup(1), dup(2)]
        let file = open(path, O_RDWR | O_CREAT | O_APPEND, 0o600)
        dup2(file, 1)
        dup2(file, 2)
        close(file)
    }

    /// What was written.
    @discardableResult
    func restore() -> String {
        fflush(nil)
        dup2(kept[0], 1)
        dup2(kept[1], 2)
        return (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}

func expect(_ isTrue: @autoclosure () throws -> Bool, _ otherwise: @autoclosure () -> String) rethrows {
    if try !isTrue() { fail(otherwise()) }
}

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("client: \(message)\n".utf8))
    exit(1)
}
