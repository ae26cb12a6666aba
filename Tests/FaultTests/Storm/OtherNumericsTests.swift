import Foundation
import HDF5
import TestSupport
import Testing
import TreadleBase
import TreadleRun

/// What becomes of checkpoints that a release with another numerics contract has written.
@Suite struct OtherNumericsTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try threeClassJob(
            name: "old", data: "valid: null, batch_size: 100",
            """
            model: { hidden: [ { units: 8 } ] }, stop: { epochs: 2, early: null },
            checkpoint: { dir: "run", keep_best: 0 }
            """)
        #expect(try train().code == 0)
    }

    @Test func `a checkpoint says its numerics, and one without them is of the first`() throws {
        let path = directory.file("run/final.h5")
        #expect(try CheckpointFile.read(path).numerics == [Treadle.numerics])
        let state = try H5File.open(path).group("treadle")
        #expect(try state.attribute("numerics").numbers(as: Int.self) == [Treadle.numerics])
        #expect(try state.hasAttribute("numerics"))
        for numbers in [[1], [1, 2], [Treadle.numerics + 1]] {
            try pretend(numbers, in: "run/final.h5")
            #expect(try CheckpointFile.read(path).numerics == numbers)
            let shown = try Program.run("inspect", "run/final.h5", directory: directory)
            #expect(shown.output.contains(", \(Treadle.numericsText(numbers))\n"), "\(shown.output)")
            let json = try Program.run("inspect", "run/final.h5", "--json", directory: directory)
            let members = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
            #expect(members?["numerics"] as? [Int] == numbers)
        }
    }

    @Test func `resuming refuses other numerics, unless a mixture is accepted, which the file then says`() throws {
        let newest = try #require(try newestStep())
        try pretend([1], in: newest)
        // Nothing is left to do: nothing is mixed.
        #expect(try train().code == 0)
        #expect(try CheckpointFile.read(directory.file("run/final.h5")).numerics == [Treadle.numerics])

        let refused = try train("--set", "stop.epochs=3")
        #expect(refused.code == 78)
        #expect(
            refused.errors.contains(
                "\(newest) was computed by numerics 1, and treadle \(Treadle.version) computes by numerics "
                    + "\(Treadle.numerics)"), "\(refused.errors)")
        #expect(refused.errors.contains("--accept-changed-numerics"))
        #expect(try CheckpointFile.read(directory.file(newest)).numerics == [1])

        let accepted = try train("--set", "stop.epochs=3", "--accept-changed-numerics")
        #expect(accepted.code == 0, "\(accepted.errors)")
        #expect(accepted.errors.contains("mixture that no release can reproduce"))
        let mixed = try CheckpointFile.read(directory.file("run/final.h5"))
        #expect(mixed.numerics == [1, Treadle.numerics] && mixed.cursor.epoch == 3)
        // From here on the last steps are this release's.
        #expect(try train("--set", "stop.epochs=4").code == 0)
        #expect(try CheckpointFile.read(directory.file("run/final.h5")).numerics == [1, Treadle.numerics])
        #expect(try train("--fresh").code == 0)
        #expect(try CheckpointFile.read(directory.file("run/final.h5")).numerics == [Treadle.numerics])
    }

    @Test func `reproducing says in words that other numerics give other bits`() throws {
        let same = try Program.run("reproduce", "run/final.h5", directory: directory)
        #expect(same.code == 0 && same.output.hasPrefix("same  "), "\(same.errors)")
        try pretend([1], in: "run/final.h5")
        let old = try Program.run("reproduce", "run/final.h5", directory: directory)
        #expect(old.code == 65 && old.output == "")
        #expect(old.errors.contains("run/final.h5 was computed by numerics 1, and treadle"), "\(old.errors)")
        #expect(old.errors.contains("such as the one that wrote it"))
        try pretend([1, Treadle.numerics], in: "run/final.h5")
        let mixed = try Program.run("reproduce", "run/final.h5", directory: directory)
        #expect(mixed.code == 65)
        #expect(mixed.errors.contains("numerics 1, then \(Treadle.numerics), a mixture that no release can reproduce"))
    }

    // MARK: Parts

    private func train(_ options: String...) throws -> Finished {
        try Program.run(["train", "job.json5"] + options, in: directory)
    }

    /// Rewrites a checkpoint as one of other numerics; without the attribute where it is of the first alone.
    private func pretend(_ numerics: [Int], in name: String) throws {
        let path = directory.file(name)
        var checkpoint = try CheckpointFile.read(path)
        checkpoint.numerics = numerics
        try CheckpointFile.write(checkpoint, to: path)
    }

    private func newestStep() throws -> String? {
        try FileManager.default.contentsOfDirectory(atPath: directory.file("run")).filter { $0.hasPrefix("step-") }
            .sorted().last.map { "run/" + $0 }
    }
}
