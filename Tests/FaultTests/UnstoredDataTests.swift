import HDF5
import TestSupport
import Testing

/// Files of a few kilobytes that claim to hold gigabytes.
@Suite struct UnstoredDataTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory(onDisk: true)
        try directory.write(
            """
            { name: "bomb", task: "classification", data: { train: { files: ["data.h5"] }, valid: null },
              model: { hidden: [] }, stop: { epochs: 1, early: null } }
            """, to: "job.json5")
    }

    /// Rows that were never written, as libhdf5 stores them: in chunks, or at no place at all.
    private func writeData(rows: Int, labels: Int, chunked: Bool) throws {
        let file = try H5File.create(directory.file("data.h5"))
        func options(_ rows: Int, _ chunk: [Int]) -> DatasetOptions {
            chunked && rows > 1000 ? DatasetOptions(chunk: chunk) : DatasetOptions()
        }
        for (name, shape, chunk) in [("x", [rows, 4], [100_000, 4]), ("y", [labels], [100_000])] {
            let type: ElementType = name == "x" ? .float32 : .uint(8)
            _ = try file.createDataset(name, type: type, shape: shape, options: options(shape[0], chunk))
        }
        try file.close()
    }

    @Test(
        arguments: [true, false], [["check", "job.json5"], ["train", "job.json5"], ["init", "data.h5", "-o", "-"]])
    func `a billion rows that nobody wrote are refused at once`(chunked: Bool, command: [String]) throws {
        try writeData(rows: 1_000_000_000, labels: 1_000_000_000, chunked: chunked)
        let ended = try Program.run(command, in: directory)
        #expect(ended.code == 65)
        #expect(
            ended.errors.hasSuffix(
                "data.h5:/x: claims 1000000000×4 elements, far more than the 0 bytes that it stores can hold; look at the file; "
                    + "if most of it is meant to be zeros, set data.allow_unstored to true\n"), "\(ended.errors)")
        // What is claimed would take several times as much. A process begins with the peak of the one that started it, and
        // the tests' own is some hundred megabytes.
        #expect(ended.peakMemory < 1 << 30)
    }

    @Test(
        arguments: [true, false],
        [
            ["predict", "run/final.h5", "data.h5", "-o", "p.csv"],
            ["predict", "run/final.h5", "data.h5", "-o", "p.h5"],
            ["predict", "run/final.h5", "data.h5", "-o", "-"], ["eval", "run/final.h5", "--data", "data.h5"],
        ])
    func `a model is not asked about a billion rows that nobody wrote`(chunked: Bool, command: [String]) throws {
        do {
            let file = try H5File.create(directory.file("data.h5"))
            try file.write((0..<80).map { Float($0 * 37 % 83) }, to: "x", shape: [20, 4])
            try file.write((0..<20).map { Int64($0 % 2) }, to: "y")
            try file.close()
        }
        let trained = try Program.run(["train", "job.json5", "--set", "checkpoint.dir=run", "--quiet"], in: directory)
        #expect(trained.code == 0, "\(trained.errors)")
        try writeData(rows: 1_000_000_000, labels: 1_000_000_000, chunked: chunked)
        let ended = try Program.run(command, in: directory)
        #expect(ended.code == 65)
        #expect(ended.errors.contains("data.h5:/x: claims 1000000000×4 elements"), "\(ended.errors)")
        #expect(ended.output == "" && ended.peakMemory < 1 << 30)
        #expect(try directory.contents().allSatisfy { !$0.contains("p.") })
    }

    @Test func `labels alone are refused the same way`() throws {
        try writeData(rows: 10, labels: 250_000_000, chunked: true)
        let ended = try Program.run(["check", "job.json5"], in: directory)
        #expect(ended.code == 65)
        #expect(ended.errors.contains("data.h5:/y: claims 250000000 elements"), "\(ended.errors)")
        #expect(ended.peakMemory < 1 << 30)
    }

    @Test func `rows of zeros are read where the configuration says so`() throws {
        try writeData(rows: 6_000_000, labels: 6_000_000, chunked: true)
        let refused = try Program.run(["check", "job.json5"], in: directory)
        #expect(refused.code == 65 && refused.errors.contains("6000000×4"))
        // All of one class: that is found in the rows, which were read.
        let read = try Program.run(["check", "job.json5", "--set", "data.allow_unstored=true"], in: directory)
        #expect(read.errors.contains("all rows are of one class"), "\(read.errors)")
    }
}
