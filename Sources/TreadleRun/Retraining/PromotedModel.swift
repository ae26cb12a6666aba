internal import Foundation
internal import Glibc
internal import TreadleBase

/// The model that is served, and its predecessors: `churn.h5`, `churn.1.h5` (the last one), `churn.2.h5`, …
///
/// At every moment there is a whole model under the served name. Whatever interrupts a promotion leaves the old model or
/// the new one, and at worst one predecessor twice, which the next promotion puts right.
package struct PromotedModel {
    package let path: String
    private let keep: Int

    init(_ path: String, keep: Int) {
        self.path = path
        self.keep = keep
    }

    /// The served model; nil where there is none yet.
    func read() throws -> Checkpoint? {
        guard try FileSystem.exists(path) else { return nil }
        do {
            return try CheckpointFile.read(path)
        } catch let error as TreadleError where error.kind == .badData {
            let remedy =
                try FileSystem.exists(predecessor(1))
                ? "put its predecessor back with \"treadle retrain --rollback\"" : "move it away to start from nothing"
            throw TreadleError(.badData, "\(error.description); it is the promoted model: \(remedy)")
        }
    }

    /// `churn.2.h5` for the second last.
    func predecessor(_ number: Int) -> String {
        let url = URL(fileURLWithPath: path)
        let name = url.deletingPathExtension().lastPathComponent
        let suffix = url.pathExtension.isEmpty ? "" : ".\(url.pathExtension)"
        return DurableFile.directory(of: path) + "/\(name).\(number)\(suffix)"
    }

    /// Puts the model in `candidate` in the place of the served one, which becomes the first predecessor.
    func replace(by candidate: String) throws {
        try FileManager.default.createDirectory(
            atPath: DurableFile.directory(of: path), withIntermediateDirectories: true)
        // Of this model alone: another's may be on its way into the same directory.
        let names = Set(([path] + (1...keep + 1).map(predecessor)).map { URL(fileURLWithPath: $0).lastPathComponent })
        _ = DurableFile.removeLeftovers(in: DurableFile.directory(of: path)) { names.contains($0) }
        if try FileSystem.exists(path), keep > 0, !isSame(path, predecessor(1)) {
            // From the oldest on: a name is overwritten only after its file has another.
            for number in stride(from: keep - 1, through: 1, by: -1)
            where try FileSystem.exists(predecessor(number)) {
                try DurableFile.link(predecessor(number), replacing: predecessor(number + 1))
            }
            try DurableFile.link(path, replacing: predecessor(1))
        }
        guard let bytes = try FileSystem.contents(of: candidate) else {
            throw TreadleError(.inputOutput, "\(candidate) is gone; nothing was promoted; run the command again")
        }
        var file = try DurableFile(replacing: path)
        try file.write(unsafe bytes.withUnsafeBytes { unsafe Array($0) })
        try file.commit()
        try removeBeyond(keep)
    }

    func checkPredecessor() throws {
        guard try FileSystem.exists(predecessor(1)) else {
            throw TreadleError(.noInput, "\(path) has no predecessor (\(predecessor(1))) to go back to")
        }
    }

    /// Puts the first predecessor back in the place of the served model, which is gone for good.
    func rollBack() throws {
        try checkPredecessor()
        _ = try CheckpointFile.verify(predecessor(1))
        try DurableFile.link(predecessor(1), replacing: path)
        var number = 1
        while try FileSystem.exists(predecessor(number + 1)) {
            try DurableFile.link(predecessor(number + 1), replacing: predecessor(number))
            number += 1
        }
        try SystemCalls().unlink(predecessor(number))
        try SystemCalls().syncDirectory(DurableFile.directory(of: path))
    }

    /// Deletes predecessors that are no longer to be kept.
    private func removeBeyond(_ keep: Int) throws {
        var number = keep + 1
        while try FileSystem.exists(predecessor(number)) {
            try SystemCalls().unlink(predecessor(number))
            number += 1
        }
    }

    /// Whether both names are of one file.
    private func isSame(_ first: String, _ second: String) -> Bool {
        var (a, b) = (stat(), stat())
        guard unsafe stat(first, &a) == 0, unsafe stat(second, &b) == 0 else { return false }
        return a.st_dev == b.st_dev && a.st_ino == b.st_ino
    }
}
