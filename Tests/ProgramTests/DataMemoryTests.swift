import HDF5
import TestSupport
import Testing

@Suite(.enabled(if: Python.available)) struct DataMemoryTests {
    @Test(arguments: ["full", "block"]) func `four gigabytes train under a limit of 300 megabytes`(shuffle: String)
        throws
    {
        let directory = try TemporaryDirectory()
        let (rows, columns) = (4_000_000, 256)
        // Only the last row is written: the rest of the file is a hole, which reads as zeros.
        do {
            let file = try H5File.create(directory.file("big.h5"))
            let x = try file.createDataset("/x", type: .float32, shape: [rows, columns])
            try x.write([Float](repeating: 1, count: columns), rows: rows - 1..<rows)
            let y = try file.createDataset(
                "/y", type: .int(8), shape: [rows], options: DatasetOptions(chunk: [1 << 20], deflate: 1))
            try y.write((0..<rows).map { Int8($0 % 2) })
        }
        try directory.write(
            """
            { schema: 1, name: "big", task: "classification",
              data: { train: { files: ["big.h5"] }, valid: null, batch_size: 512, normalize: "none",
                      shuffle: "\(shuffle)", memory_limit: "300MB" },
              model: { hidden: [] }, stop: { steps: 40, early: null } }
            """, to: "job.json5")
        let script = """
            import resource, subprocess, sys
            done = subprocess.run([sys.argv[1], 'train', 'job.json5'], cwd=sys.argv[2], capture_output=True, text=True)
            print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.stderr[-500:])
            """
        let finished = try Python.run(script, Program.path, directory.path)
        let words = finished.output.split(separator: " ", maxSplits: 2).map(String.init)
        try #require(words.count >= 2, "\(finished.errors)")
        #expect(words[0] == "0", "\(finished.output)")
        // The limit is for data: the program itself takes some 40 MB besides.
        #expect((Int(words[1]) ?? .max) < 300_000, "peak of \(words[1]) KB")
    }
}
