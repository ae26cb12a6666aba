import Foundation
import HDF5
import TestSupport
import Testing

@Suite(.enabled(if: Python.available)) struct DataMemoryTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory(onDisk: true)
    }

    @Test(arguments: ["full", "block"]) func `four gigabytes train under a limit of 300 megabytes`(shuffle: String)
        throws
    {
        // Only the last row is written: the rest of the file is a hole, which reads as zeros.
        try writeFile("big.h5", rows: 4_000_000)
        try directory.write(
            """
            { schema: 1, name: "big", task: "classification",
              data: { train: { files: ["big.h5"] }, valid: null, batch_size: 512, normalize: "none",
                      shuffle: "\(shuffle)", memory_limit: "300MB" },
              model: { hidden: [] }, stop: { steps: 40, early: null } }
            """, to: "job.json5")
        // The limit is for data: the program itself takes some 40 MB besides.
        #expect(try peakMemory("train", "job.json5") < 300_000)
    }

    /// A few kilobytes may declare any number of rows, so these must not decide what predicting takes.
    @Test func `a gigabyte of packed rows is predicted without being kept`() throws {
        try writeFile("few.h5", rows: 600)
        try writeFile("many.h5", rows: 1_000_000, options: DatasetOptions(chunk: [4096, Self.columns], deflate: 1))
        try directory.write(
            """
            { schema: 1, name: "few", task: "classification",
              data: { train: { files: ["few.h5"] }, valid: null, normalize: "none" },
              model: { hidden: [] }, stop: { steps: 1, early: null }, checkpoint: { dir: "few" } }
            """, to: "job.json5")
        #expect(try peakMemory("train", "job.json5") < 300_000)
        // Of the rows only the last is stored: the others are zeros, as the setting says.
        #expect(
            try peakMemory(
                "predict", "few/final.h5", "many.h5", "-o", "predicted.csv", "--set", "data.allow_unstored=true")
                < 200_000)
    }

    /// libhdf5 would take what the file says that the text is long, before it looks whether the file has it.
    @Test func `a text that states three gigabytes is refused in the memory of a small one`() throws {
        let name = "seventeen letters"
        try writeFile("few.h5", rows: 64, column: name)
        try directory.write(
            """
            { schema: 1, name: "few", task: "classification", data: { train: { files: ["few.h5"] }, valid: null },
              model: { hidden: [] }, stop: { steps: 1, early: null }, checkpoint: { dir: "few" } }
            """, to: "job.json5")
        #expect(try peakMemory("train", "job.json5") < 300_000)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: directory.file("few.h5")))
        // A text is stored as its length, four bytes, and the place of its heap, of which there is at least one.
        let heap = try #require(bytes.range(of: Data("GCOL".utf8))).lowerBound
        let place = withUnsafeBytes(of: UInt64(heap).littleEndian) { Data($0) }
        let length = withUnsafeBytes(of: UInt32(name.utf8.count).littleEndian) { Data($0) }
        let text = try #require(bytes.range(of: length + place))
        bytes.replaceSubrange(text.lowerBound..<text.lowerBound + 4, with: [0, 0, 0, 0xC0])
        try directory.write(bytes, to: "few.h5")
        #expect(
            try peakMemory(
                "predict", "few/final.h5", "few.h5", "-o", "predicted.csv", code: 65,
                saying: "few.h5:/columns: states a size that there is no memory for") < 200_000)
    }

    private static let columns = 256

    private func writeFile(_ name: String, rows: Int, options: DatasetOptions = DatasetOptions(), column: String? = nil)
        throws
    {
        let file = try H5File.create(directory.file(name))
        let x = try file.createDataset("/x", type: .float32, shape: [rows, Self.columns], options: options)
        try x.write([Float](repeating: 1, count: Self.columns), rows: rows - 1..<rows)
        let y = try file.createDataset(
            "/y", type: .int(8), shape: [rows], options: DatasetOptions(chunk: [min(rows, 1 << 20)], deflate: 1))
        try y.write((0..<rows).map { Int8($0 % 2) })
        if let column { try file.write(strings: Array(repeating: column, count: Self.columns), to: "/columns") }
        try file.close()
    }

    /// Kilobytes that a command took at most. Python runs it, for a process begins with the peak of the one that
    /// started it, and the tests' own is large.
    private func peakMemory(_ arguments: String..., code: Int = 0, saying: String? = nil) throws -> Int {
        let script = """
            import resource, subprocess, sys
            done = subprocess.run(sys.argv[1:2] + sys.argv[3:], cwd=sys.argv[2], capture_output=True, text=True)
            print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.stderr[-500:])
            """
        let finished = try Python.run(script, [Program.path, directory.path] + arguments)
        let words = finished.output.split(separator: " ", maxSplits: 2).map(String.init)
        try #require(words.count >= 2, "\(finished.errors)")
        #expect(words[0] == "\(code)" && (saying.map(finished.output.contains) ?? true), "\(finished.output)")
        return try #require(Int(words[1]), "\(finished.output)")
    }
}
