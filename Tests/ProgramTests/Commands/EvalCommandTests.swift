import HDF5
import TestSupport
import Testing

@Suite struct EvalCommandTests {
    @Test func `settings of data and threads can be overridden, and what training decided cannot`() throws {
        let directory = try TemporaryDirectory()
        for (name, first) in [("good.h5", Float(1)), ("gaps.h5", .nan)] {
            let file = try H5File.create(directory.file(name))
            try file.write([first] + (1..<64).map { Float($0 % 5) }, to: "x", shape: [32, 2])
            try file.write((0..<32).map { Int64($0 % 2) }, to: "y")
            try file.close()
        }
        try directory.write(
            """
            { name: "small", task: "classification", data: { train: { files: ["good.h5"] }, valid: null },
              model: { hidden: [] }, stop: { epochs: 1, early: null }, checkpoint: { dir: "run" } }
            """, to: "job.json5")
        #expect(try Program.run("train", "job.json5", "--quiet", directory: directory).code == 0)
        func eval(_ options: String...) throws -> Finished {
            try Program.start(["eval", "run/final.h5", "--data", "gaps.h5"] + options, directory: directory).finish()
        }
        #expect(try eval().code == 65)
        let dropped = try eval("--set", "data.non_finite=drop_row", "--set", "compute.threads=1", "--json")
        #expect(dropped.code == 0, "\(dropped.errors)")
        #expect(dropped.output.contains("\"rows\": 31"), "\(dropped.output)")
        let trained = try eval("--set", "optimizer.lr=1")
        #expect(trained.code == 64)
        #expect(
            trained.errors
                == "error: --set optimizer.lr=1: eval takes settings of data and compute; the others are those "
                + "that run/final.h5 was trained by; see \"treadle eval --help\"\n")
        let unknown = try eval("--set", "data.nonsense=1")
        #expect(unknown.code == 78 && unknown.errors.contains("data.nonsense"), "\(unknown.errors)")
    }
}
