internal import Foundation
package import TreadleBase
package import TreadleRun

/// What a run has reported: its metrics over epochs, and its training loss between them.
package struct RunRecord: Sendable {
    package struct Line: Sendable {
        package var epoch: Double
        package var step: Double
        package var seconds: Double
        package var metrics: [String: Double]
    }

    package var name: String
    /// One a finished epoch.
    package var epochs: [Line]
    /// All, those between epochs included.
    package var lines: [Line]

    package init(name: String, history: [EpochRecord]) {
        self.name = name
        epochs = history.map {
            Line(epoch: Double($0.epoch), step: Double($0.step), seconds: $0.seconds, metrics: $0.metrics)
        }
        lines = epochs
    }

    /// Reads a run's directory, a metrics.jsonl, or the history of a checkpoint, all of unknown origin.
    package static func read(_ path: String, helper: GuardedHelper) throws -> RunRecord {
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw TreadleError(.noInput, "\(path): no such run; name its directory, its metrics.jsonl or a checkpoint")
        }
        let name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
        guard isDirectory.boolValue else {
            guard !path.hasSuffix(".jsonl") else { return try RunRecord(name: directoryName(of: path), log: path) }
            return RunRecord(name: name, history: try CheckpointFile(path, helper: helper).head.curve)
        }
        let log = path + "/metrics.jsonl"
        if FileManager.default.fileExists(atPath: log) { return try RunRecord(name: name, log: log) }
        let checkpoint = path + "/final.h5"
        guard FileManager.default.fileExists(atPath: checkpoint) else {
            throw TreadleError(.noInput, "\(path): neither metrics.jsonl nor final.h5 is there; name a run's directory")
        }
        return RunRecord(
            name: name, history: try CheckpointFile(checkpoint, helper: helper).head.curve)
    }

    private static func directoryName(of path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().lastPathComponent
    }

    private init(name: String, log: String) throws {
        let largest = 1 << 30
        guard let bytes = try FileSystem.contents(of: log, limit: largest + 1) else {
            throw TreadleError(.noInput, "\(log): no such file; check the path")
        }
        guard bytes.count <= largest else {
            throw TreadleError(.badData, "\(log): larger than 1 GiB; thin it out, or name a checkpoint of the run")
        }
        self.name = name
        lines = []
        epochs = []
        var last = 0.0
        // What follows on the last newline is being written.
        let text = bytes.lastIndex(of: 0x0a).map { bytes[..<$0] } ?? Data()
        for (number, line) in text.split(separator: 0x0a).enumerated() {
            guard let value = JSONValue(parsing: String(decoding: line, as: UTF8.self)), let read = Line(value) else {
                throw TreadleError(
                    .badData,
                    "\(log):\(number + 1): not a line of metrics with step and epoch; name a metrics.jsonl "
                        + "that treadle train wrote")
            }
            lines.append(read)
            // The first line of a number of epochs is that of the epoch's end.
            if read.epoch > last {
                last = read.epoch
                epochs.append(read)
            }
        }
    }
}

extension RunRecord.Line {
    fileprivate init?(_ value: JSONValue) {
        guard case .object(let members) = value, let step = value["step"]?.double, let epoch = value["epoch"]?.double
        else { return nil }
        self.step = step
        self.epoch = epoch
        seconds = value["seconds"]?.double ?? 0
        metrics = [:]
        for member in members where !["step", "epoch", "time", "seconds"].contains(member.key) {
            if let number = member.value.double { metrics[member.key] = number }
        }
    }
}

extension JSONValue {
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
