import Foundation
import HDF5
import TestSupport
import Testing
import TreadleRun

/// Data that is written over while a run reads it: no checkpoint holds what was learnt from rows of the wrong file.
@Suite struct ChangedDataTests {
    /// Rows are read from the file throughout in the first two; a copy of them is trained on in the others.
    @Test(arguments: [
        (options: ["data.access=mmap"], isCopied: false), (options: ["data.access=auto"], isCopied: false),
        (options: ["data.access=library"], isCopied: true), (options: ["data.normalize=standard"], isCopied: true),
    ])
    func `a run whose data was written over goes on from before that, and ends with the calm run's weights`(
        options: [String], isCopied: Bool
    ) throws {
        try change(options, isCopied, told: "it was written to while in use") { path, other in
            try overwrite(path, with: other)
        }
    }

    @Test(arguments: [
        (options: ["data.access=mmap"], isCopied: false), (options: ["data.access=library"], isCopied: true),
    ])
    func `writing over data is noticed where its time was put back`(options: [String], isCopied: Bool) throws {
        try change(options, isCopied, told: "it was written to, and its time put back, while in use") { path, other in
            var status = stat()
            #expect(stat(path, &status) == 0)
            try overwrite(path, with: other)
            #expect(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
        }
    }

    @Test(
        arguments: [
            (options: ["data.access=mmap"], isCopied: false), (options: ["data.access=auto"], isCopied: false),
            (options: ["data.access=library"], isCopied: true), (options: ["data.normalize=standard"], isCopied: true),
        ], [2, 1000])
    func `a run whose data was cut goes on from before that, and ends with the calm run's weights`(
        kind: (options: [String], isCopied: Bool), part: Int
    ) throws {
        try change(kind.options, kind.isCopied, told: "it was cut from") { path, other in
            #expect(truncate(path, off_t(other.count / part)) == 0)
        }
    }

    /// `spoil` gets the path of the data and bytes of the same length.
    private func change(
        _ options: [String], _ isCopied: Bool, told: String, _ spoil: (String, Data) throws -> Void
    ) throws {
        let directory = try TemporaryDirectory()
        try writeRows(to: directory.file("data.h5"), sign: 1)
        try writeRows(to: directory.file("other.h5"), sign: -1)
        try directory.write(
            """
            { name: "changed", task: "classification",
              data: { train: { files: ["data.h5"] }, valid: null, batch_size: 4, normalize: "none" },
              model: { hidden: [ { units: 8 } ] }, stop: { epochs: 2, early: null },
              checkpoint: { every: { steps: 20 }, keep_last: 1000000, keep_best: 0 } }
            """, to: "job.json5")
        let good = try Data(contentsOf: URL(fileURLWithPath: directory.file("data.h5")))
        let other = try Data(contentsOf: URL(fileURLWithPath: directory.file("other.h5")))
        #expect(good.count == other.count && good != other)
        func arguments(_ run: String) -> [String] {
            ["train", "job.json5", "--quiet"] + (options + ["checkpoint.dir=\(run)"]).flatMap { ["--set", $0] }
        }
        #expect(try Program.run(arguments("calm"), in: directory).code == 0)

        let job = try Program.start(arguments("run"), directory: directory)
        let step = directory.file("run/step-00000040.h5")
        #expect(eventually { FileManager.default.fileExists(atPath: step) || !job.isRunning } && job.isRunning)
        try spoil(directory.file("data.h5"), other)
        let ended = try job.finish()
        if isCopied {
            #expect(ended.code == 0, "\(ended.errors)")
            #expect(ended.errors.contains("training goes on with the rows as they were read"))
        } else {
            #expect(ended.code == 65, "\(ended.errors)")
            #expect(ended.errors.contains("data.h5: \(told)"), "\(ended.errors)")
            #expect(ended.errors.contains("the same command goes on from \(directory.file("run/step-"))"))
        }

        try overwrite(directory.file("data.h5"), with: good)
        let again = try Program.run(arguments("run"), in: directory)
        #expect(again.code == 0, "\(again.errors)")
        let expected = try CheckpointFile.read(directory.file("calm/final.h5")).parameterDigest
        #expect(try CheckpointFile.read(directory.file("run/final.h5")).parameterDigest == expected)
    }

    /// The same length under the same name: only the time tells.
    private func overwrite(_ path: String, with bytes: Data) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: bytes)
        try file.close()
    }

    private func writeRows(to path: String, sign: Float) throws {
        let rows = 1500
        let x = (0..<rows * 2).map { sign * (Float($0 * 37 % 1009) / 1009 - 0.5) }
        let file = try H5File.create(path)
        try file.write(x, to: "x", shape: [rows, 2])
        try file.write((0..<rows).map { Int64(sign * x[$0 * 2] > sign * x[$0 * 2 + 1] ? 1 : 0) }, to: "y")
        try file.close()
    }
}
