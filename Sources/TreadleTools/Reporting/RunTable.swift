internal import Foundation
package import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleRun

/// Runs side by side: what was set otherwise, and what came of it.
package struct RunTable: Sendable {
    package struct Run: Sendable {
        package var directory: String
        package var name: String
        /// The checkpoint that all of this is from: the final one, or the newest.
        package var file: String
        package var isFinished: Bool
        package var epoch: Int
        package var seconds: Double
        /// Of the weights in the file, or of the last epoch where nobody has measured those.
        package var metrics: [String: Double]
        package var digest: String
        /// Every setting that this version understands by its dotted key, as JSON.
        package var settings: [String: JSONValue]

        /// A setting as people write it, hidden layers as "32 relu, 64 relu"; nil where the run has none of that key.
        package func setting(_ key: String) -> String? {
            guard let value = settings[key] else { return nil }
            if key == "model.hidden", let layers = Self.layers(value) { return layers }
            return value.string ?? value.text()
        }

        /// Nil for what is no list of layers as this program writes them.
        private static func layers(_ value: JSONValue) -> String? {
            guard case .array(let layers) = value else { return nil }
            var words: [String] = []
            for layer in layers {
                guard case .object(let members) = layer, let units = layer["units"]?.double,
                    let activation = layer["activation"]?.string,
                    members.allSatisfy({ ["units", "activation", "dropout"].contains($0.key) })
                else { return nil }
                let dropout = layer["dropout"]?.double ?? 0
                words.append(
                    "\(Figure.compact(units)) \(activation)"
                        + (dropout > 0 ? " with dropout \(Figure.short(dropout))" : ""))
            }
            return words.isEmpty ? "none" : words.joined(separator: ", ")
        }
    }

    package let runs: [Run]
    /// The keys of the settings that are not the same in all runs.
    package let differing: [String]

    /// The metrics that some run has, what tells most first.
    package var metrics: [String] {
        func place(_ name: String) -> Int { name.hasPrefix("test.") ? 0 : name.hasPrefix("valid.") ? 1 : 2 }
        return Set(runs.flatMap(\.metrics.keys)).sorted { (place($0), $0) < (place($1), $1) }
    }

    /// Settings that name the run or change nothing about its outcome.
    private static let names: Set<String> = ["name", "checkpoint.dir", "compute.threads"]

    /// The runs in `paths`: a run's directory, or one with runs below it. Those that cannot be read are noted and left out.
    package init(
        _ paths: [String], helper: GuardedHelper, note: (LogLevel, String) -> Void
    ) throws {
        var runs: [Run] = []
        for path in paths {
            let found = try Self.directories(below: path, depth: 3)
            guard !found.isEmpty else {
                throw TreadleError(.noInput, "\(path): no run in it; name the directory of a run, or one above runs")
            }
            for directory in found {
                do {
                    runs.append(try Self.run(in: directory, helper: helper))
                } catch let error as TreadleError where error.kind == .badData {
                    note(.warning, "\(error.description); left out")
                }
            }
        }
        self.runs = runs
        let keys = Set(runs.flatMap(\.settings.keys)).subtracting(Self.names).filter { key in
            !key.hasPrefix("log.") && !key.hasPrefix("retrain.")
        }
        differing = keys.filter { key in runs.contains { $0.settings[key] != runs.first?.settings[key] } }.sorted()
    }

    /// In the order of a metric, the best first; of a setting; or of `time`, `name` or `epoch`.
    package func sorted(by key: String) throws -> [Run] {
        let known = ["name", "time", "epoch"] + metrics + differing
        guard known.contains(key) else {
            throw TreadleError(.usage, "--sort \(key): there is \(known.joined(separator: ", "))")
        }
        func value(_ run: Run) -> Double? {
            switch key {
            case "time": return run.seconds
            case "epoch": return Double(run.epoch)
            default:
                if let value = run.metrics[key] { return WatchedMetric(key).higherIsBetter ? -value : value }
                switch run.settings[key] {
                case .number(let number): return number
                case .integer(let number): return Double(number)
                default: return nil
                }
            }
        }
        return runs.sorted { a, b in
            if let x = value(a), let y = value(b) { return (x, a.directory) < (y, b.directory) }
            if key != "name", (value(a) == nil) != (value(b) == nil) { return value(a) != nil }
            let texts = [a, b].map { key == "name" ? $0.name : $0.settings[key]?.text() ?? "" }
            return (texts[0], a.directory) < (texts[1], b.directory)
        }
    }

    private static func directories(below path: String, depth: Int) throws -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw TreadleError(.noInput, "\(path): no directory that can be read; name one that holds runs")
        }
        if names.contains(where: { CheckpointName(fileName: $0) != nil }) { return [path] }
        guard depth > 0 else { return [] }
        return names.sorted().flatMap { name -> [String] in
            let inner = (path.hasSuffix("/") ? path : path + "/") + name
            var isDirectory: ObjCBool = false
            guard unsafe FileManager.default.fileExists(atPath: inner, isDirectory: &isDirectory), isDirectory.boolValue
            else {
                return []
            }
            return (try? directories(below: inner, depth: depth - 1)) ?? []
        }
    }

    private static func run(in directory: String, helper: GuardedHelper) throws -> Run {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let checkpoints = names.compactMap { CheckpointName(fileName: $0) }
        let newest = checkpoints.max { step($0) < step($1) }
        guard let newest else { throw TreadleError(.badData, "\(directory): its checkpoints have gone") }
        let file = try CheckpointFile(directory + "/" + newest.fileName, helper: helper)
        let known = file.head.knownSettings
        let resolved = known.flatMap { JSONValue(parsing: $0.settings.resolvedText) }
        let settings = resolved.map { flat($0, at: "") } ?? [:]
        return Run(
            directory: directory, name: known?.name ?? directory, file: file.path,
            isFinished: file.head.progress.finished, epoch: file.head.cursor.epoch,
            seconds: file.head.progress.seconds,
            metrics: (file.head.weightsRecord ?? file.head.history.last)?.metrics ?? [:],
            digest: try file.parameterDigest(), settings: settings.filter { known?.understands($0.key) == true })
    }

    /// The final one before the newest step, and any of those before the best.
    private static func step(_ name: CheckpointName) -> Int {
        switch name {
        case .final: .max
        case .step(let step): step
        case .best(let place): -place
        }
    }

    private static func flat(_ value: JSONValue, at key: String) -> [String: JSONValue] {
        guard case .object(let members) = value, !members.isEmpty else { return [key: value] }
        return members.reduce(into: [:]) { all, member in
            all.merge(flat(member.value, at: key.isEmpty ? member.key : "\(key).\(member.key)")) { $1 }
        }
    }
}
