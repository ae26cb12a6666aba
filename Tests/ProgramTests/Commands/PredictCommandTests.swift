import HDF5
import TestSupport
import Testing
import TreadleBase
import TreadleTools

/// `treadle predict` as a person runs it.
@Suite struct PredictCommandTests {
    let directory: TemporaryDirectory

    /// A model of two columns with names.
    init() throws {
        directory = try TemporaryDirectory()
        let lines = (0..<64).map { "\($0 % 7),\($0),\(["no", "yes"][$0 % 2])" }
        try directory.write("age,spent,churned\n" + lines.joined(separator: "\n") + "\n", to: "churn.csv")
        let made = try Program.shell(
            """
            $treadle import churn.csv --target churned -o churn.h5 && $treadle init churn.h5 &&
            $treadle train churn.json5 --set stop.epochs=1
            """, directory: directory)
        #expect(made.code == 0, "\(made.errors)")
    }

    private func predict(_ arguments: String...) throws -> Finished {
        try Program.start(["predict", "runs/churn/final.h5"] + arguments, directory: directory).finish()
    }

    @Test func `JSON says what was written`() throws {
        for name in ["p.h5", "p.csv"] {
            let finished = try predict("churn.csv", "-o", name, "--json")
            #expect(finished.code == 0 && finished.errors == "")
            #expect(JSONValue(parsing: finished.output) == ["file": .string(name), "rows": 64])
        }
    }

    @Test func `the extension says the format, in either case`() throws {
        #expect(try predict("churn.csv", "-o", "P.CSV").code == 0)
        #expect(try directory.read("P.CSV").hasPrefix("class,class_name,"))
        for name in ["p.hdf", "p.he5", "p", "p.model"] {
            #expect(try predict("churn.csv", "-o", name).code == 0)
            #expect(try H5File.isHDF5(directory.file(name)))
        }
        for name in ["p.npz", "p.tsv", "p.parquet", "p.csv.gz"] {
            #expect(try predict("churn.csv", "-o", name).code == 64)
        }
    }

    @Test func `words where the model learned from numbers, and columns without names, are refused`() throws {
        try directory.write("spent,age\n1,old\n", to: "words.csv")
        let named = try predict("words.csv", "-o", "p.h5")
        #expect(named.code == 65)
        #expect(named.errors.contains("\"age\" is a number for the model"), "\(named.errors)")
        #expect(named.errors.contains("words.csv:2"), "\(named.errors)")
        try directory.write("1,2\n3,old\n", to: "nameless.csv")
        let nameless = try predict("nameless.csv", "-o", "p.h5")
        #expect(nameless.code == 65 && nameless.errors.contains("nameless.csv"), "\(nameless.errors)")
    }
}
