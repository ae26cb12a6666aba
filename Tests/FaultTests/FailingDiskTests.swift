import Foundation
import Glibc
import TestSupport
import Testing
import TreadleRun

/// Whether an error is told in the program's own words, not in those of the libraries below it.
func isPlain(_ errors: String) -> Bool { !errors.contains("NSCocoa") && !errors.contains("o_flags") }

/// A disk that is full from some byte on, or on which one call fails: the same command, once all is well, ends as if nothing
/// had been. `Scripts/faults` tries more places.
@Suite(.enabled(if: Faults.isAvailable)) struct FailingDiskTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        try directory.write("a,b,class\n" + (0..<50).map { "\($0),\($0 % 7),\($0 % 2)\n" }.joined(), to: "rows.csv")
        try directory.write(
            """
            { name: "job", task: "classification",
              data: { train: { files: ["data.h5"] }, valid: { fraction: 0.2 }, batch_size: 200 },
              model: { hidden: [ { units: 4 } ] }, stop: { epochs: 2, early: null },
              checkpoint: { dir: "run", keep_last: 2 }, retrain: { promote: { to: "model.h5" } } }
            """, to: "job.json5")
    }

    @Test(arguments: zip(Work.all, [12_000, 17_000, 700]))
    func `a full disk is an error of the disk, and nothing is lost by it`(work: Work, step: Int) throws {
        let expected = try calmResult(work)
        var full = 0
        for bytes in stride(from: 0, to: 40 * step, by: step) {
            guard let ended = try strike(work, .bytes, ENOSPC, at: bytes, expected: expected) else { break }
            full += 1
            let said: Comment = "\(bytes): \(ended.code) \(ended.errors)"
            #expect(ended.code == 74 || ended.code == 0, said)
            #expect(ended.code == 0 || ended.errors.contains("No space left on device"), said)
        }
        #expect(full > 3)
    }

    /// Of some hundred calls a few, close together at the beginning.
    static let places = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610]

    @Test(arguments: Work.all, [Faults.Which.changes, .reads])
    func `a call that fails once is told in words, and nothing is lost by it`(
        work: Work, calls: Faults.Which
    ) throws {
        let expected = try calmResult(work)
        var failed = 0
        for number in Self.places {
            guard let ended = try strike(work, calls, EIO, at: number, expected: expected) else { break }
            failed += 1
            #expect([0, 65, 66, 73, 74, 75].contains(ended.code), "\(number): \(ended.code) \(ended.errors)")
            #expect(ended.code == 0 || !(ended.errors + ended.output).isEmpty, "\(number): \(ended.code)")
            #expect(isPlain(ended.errors), "\(number): \(ended.errors)")
        }
        #expect(failed > 3)
    }

    @Test(arguments: Work.all)
    func `of several at once one does the work, and the others find it taken or done`(work: Work) throws {
        let expected = try calmResult(work)
        for _ in 0..<3 {
            clean()
            let started = try (0..<4).map { _ in try Program.start(work.command, directory: directory) }
            for ended in try started.map({ try $0.finish() }) {
                #expect(ended.code == 0 || ended.code == 75 && work == .training, "\(ended)")
            }
            #expect(try result(work) == expected)
        }
    }

    /// A command, and the file that it is for.
    enum Work: String, CaseIterable {
        case training, retraining, importing
        static let all = allCases

        var command: [String] {
            switch self {
            case .training: ["train", "job.json5", "--quiet"]
            case .retraining: ["retrain", "job.json5", "--quiet"]
            case .importing: ["import", "rows.csv", "--target", "class", "-o", "new.h5", "--force"]
            }
        }

        var file: String {
            switch self {
            case .training: "run/final.h5"
            case .retraining: "model.h5"
            case .importing: "new.h5"
            }
        }
    }

    /// How the work ended with one fault in it; nil when it has no such call. Checks that the same command, left in peace, then comes
    /// to the result of a calm run.
    private func strike(_ work: Work, _ which: Faults.Which, _ failure: Int32, at number: Int, expected: String) throws
        -> Finished?
    {
        clean()
        let environment = Faults.environment(which, .fails(failure), at: number, reached: directory.file("reached"))
        let ended = try Program.start(work.command, environment: environment, directory: directory).finish()
        guard FileManager.default.fileExists(atPath: directory.file("reached")) else { return nil }
        let said: Comment = "\(which) \(number): \(ended.code) \(ended.errors)"
        #expect(try directory.contents().allSatisfy { !$0.hasSuffix(".tmp") }, said)
        let again = try Program.run(work.command, in: directory)
        #expect(again.code == 0, "\(said) and then \(again.errors)")
        #expect(try result(work) == expected, said)
        return ended
    }

    private func calmResult(_ work: Work) throws -> String {
        #expect(try Program.run(work.command, in: directory).code == 0)
        return try result(work)
    }

    /// What must be equal however the work came about: the weights, or the bytes.
    private func result(_ work: Work) throws -> String {
        let path = directory.file(work.file)
        return work == .importing
            ? try Data(contentsOf: URL(fileURLWithPath: path)).base64EncodedString()
            : try CheckpointFile.verify(path).parameterDigest
    }

    private func clean() {
        for name in ["run", "run.lock", "model.h5", "new.h5", "reached"] {
            try? FileManager.default.removeItem(atPath: directory.file(name))
        }
    }
}
