import Foundation
import HDF5
import TestSupport
import Testing
import TreadleBase
import TreadleTools

/// `treadle import` and `treadle init` as a person runs them.
@Suite struct ImportCommandTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func table(rows: Int = 60) throws {
        let lines = (0..<rows).map { "\($0 % 7),\(Double($0) / 10),\(["no", "yes"][$0 % 2])" }
        try directory.write("visits,spent,churned\n" + lines.joined(separator: "\n") + "\n", to: "churn.csv")
    }

    @Test func `a table becomes a file, and the file a configuration that checks`() throws {
        try table()
        let imported = try Program.run(
            "import", "churn.csv", "--target", "churned", "-o", "churn.h5", directory: directory)
        #expect(imported.code == 0)
        #expect(imported.output == "")
        #expect(
            imported.errorLines == [
                "churn.h5: /x 60×2 float32, /y 60 int32", "2 classes: no, yes", "columns:",
                "  column   kind    inputs  missing  values",
                "  visits   number       1           0 … 6",
                "  spent    number       1           0 … 5.9",
                "  churned  target                   no, yes  2 classes", "next: treadle init churn.h5",
            ])
        let drafted = try Program.run("init", "churn.h5", directory: directory)
        #expect(drafted.code == 0)
        #expect(drafted.errorLines.last == "wrote churn.json5; next: treadle train churn.json5")
        #expect(try directory.contents() == ["churn.csv", "churn.h5", "churn.json5"])
        #expect(
            try Program.run("init", "churn.h5", "-o", "-", directory: directory).output == directory.read("churn.json5")
        )
    }

    @Test func `nothing is replaced unless asked for`() throws {
        try table()
        try directory.write("precious", to: "churn.h5")
        let refused = try Program.run("import", "churn.csv", "--target", "-1", "-o", "churn.h5", directory: directory)
        #expect(refused.code == 73)
        #expect(refused.errors == "error: churn.h5 exists; choose another name, or replace it with --force\n")
        #expect(try directory.read("churn.h5") == "precious")
        let forced = try Program.run(
            "import", "churn.csv", "--target", "-1", "-o", "churn.h5", "--force", "--quiet", directory: directory)
        #expect(forced.code == 0 && forced.errors == "")
        // Not even then a pipe or a device: renaming over it would remove it.
        #expect(try Program.shell("mkfifo pipe; ln -s /dev/null null", directory: directory).code == 0)
        for name in ["pipe", "null"] {
            let special = try Program.run(
                "import", "churn.csv", "--target", "-1", "-o", name, "--force", directory: directory)
            #expect(special.code == 73)
            #expect(special.errors == "error: \(name): not a regular file; choose the name of a file\n")
        }
        #expect(try directory.contents() == ["churn.csv", "churn.h5", "null", "pipe"])
        try directory.write("mine", to: "churn.json5")
        #expect(try Program.run("init", "churn.h5", directory: directory).code == 73)
        #expect(try directory.read("churn.json5") == "mine")
    }

    @Test func `what is missing or wrong is said with its exit code`() throws {
        try table()
        func run(_ arguments: String...) throws -> (Int32, String) {
            let finished = try Program.start(["import"] + arguments, directory: directory).finish()
            return (finished.code, finished.errors)
        }
        #expect(try run("gone.csv", "-o", "a.h5") == (66, "error: gone.csv: no such file; check the path\n"))
        let targetless = try run("churn.csv", "-o", "a.h5")
        #expect(targetless.0 == 64)
        #expect(
            targetless.1
                == "error: churn.csv: which column is to be predicted? Name it with --target, or import inputs "
                + "alone with --no-target; its columns are visits, spent, churned\n")
        #expect(try run("churn.csv", "--target", "churned", "-o", "no/where/a.h5").0 == 73)
        #expect(try run("churn.csv", "--target", "churned").0 == 64)
        #expect(try directory.contents() == ["churn.csv"])
    }

    @Test func `what comes next can be typed as it stands, and is left out where it would fail`() throws {
        try table()
        let imported = try Program.run(
            "import", "churn.csv", "--target", "churned", "-o", "it's new.h5", directory: directory)
        #expect(imported.errorLines.last == #"next: treadle init 'it'\''s new.h5'"#)
        let drafted = try Program.run("init", "it's new.h5", directory: directory)
        #expect(drafted.errorLines.last == #"wrote it's new.json5; next: treadle train 'it'\''s new.json5'"#)
        for (name, word) in [("-a.h5", "./-a.h5"), ("ä.h5", "ä.h5"), ("a$b.h5", "'a$b.h5'")] {
            let other = try Program.run("import", "churn.csv", "--target=-1", "-o\(name)", directory: directory)
            #expect(other.errorLines.last == "next: treadle init \(word)")
        }
        let inputs = try Program.run(
            "import", "churn.csv", "--no-target", "--drop", "churned", "-o", "x.h5", directory: directory)
        #expect(inputs.code == 0 && inputs.errorLines.first == "x.h5: /x 60×2 float32")
    }

    @Test func `JSON says what was generated`() throws {
        let made = try Program.run(
            "generate", "linear", "--rows", "50", "-o", "a.h5", "--json", directory: directory)
        #expect(made.code == 0 && made.errors == "")
        let json = try #require(JSONValue(parsing: made.output))
        #expect(json["file"] == "a.h5" && json["rows"] == 50)
        guard case .array(let arrays) = json["arrays"] else {
            Issue.record("arrays is a list")
            return
        }
        #expect(arrays[0] == ["name": "/x", "shape": [50, 40], "type": "float32"])
    }

    @Test(arguments: [
        ["import", "dir", "-o", "a.h5"], ["import", "a.csv", "--target", "y", "--classes-from", "dir", "-o", "a.h5"],
        ["init", "dir"], ["inspect", "dir"], ["eval", "dir"], ["export", "dir", "-o", "a.onnx"],
        ["diff", "dir", "dir"],
        ["predict", "dir", "a.csv", "-o", "p.csv"], ["reproduce", "dir"], ["check", "a.json5"], ["train", "a.json5"],
    ])
    func `a directory is no data, with one message and one exit code`(line: [String]) throws {
        #expect(try Program.shell("mkdir dir", directory: directory).code == 0)
        try directory.write("{ name: \"a\", data: { train: \"dir\" }, model: { hidden: [] } }", to: "a.json5")
        try directory.write("x,y\n1,2\n", to: "a.csv")
        let refused = try Program.start(line, directory: directory).finish()
        #expect(refused.code == 65)
        #expect(refused.errors.contains("dir: is a directory; name a file in it\n"), "\(refused.errors)")
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGUSR2])
    func `a signal to stop is the import's, which leaves nothing behind`(signal: Int32) throws {
        let rows = (0..<2_000_000).lazy.map { "\($0 % 7),\($0),\($0 % 2)\n" }
        try directory.write("a,b,y\n" + rows.joined(), to: "a.csv")
        let job = try Program.start(
            ["import", "a.csv", "--target", "y", "-o", "a.h5"], directory: directory)
        #expect(try eventually { try directory.contents().count > 1 || !job.isRunning })
        job.send(signal)
        let ended = try job.finish()
        #expect(ended.code == 75)
        #expect(ended.errors.contains("stopped by SIG"))
        #expect(try directory.contents() == ["a.csv"])
    }

    @Test func `a test set numbers its classes as the training set does`() throws {
        try table()
        try directory.write("visits,spent,churned\n1,2,yes\n", to: "test.csv")
        _ = try Program.run("import", "churn.csv", "--target", "churned", "-o", "train.h5", directory: directory)
        let finished = try Program.run(
            "import", "test.csv", "--target", "churned", "--classes-from", "train.h5", "-o", "test.h5", "--json",
            directory: directory)
        #expect(finished.code == 0)
        #expect(finished.output.contains("\"classes\""))
        #expect(try H5File.open(directory.file("test.h5")).dataset("/y").read(as: Int.self) == [1])
    }

    @Test func `a full disk is an error and leaves nothing behind`() throws {
        try table(rows: 200_000)
        // A limit on file sizes stands for the disk.
        let finished = try Program.shell(
            "ulimit -f 100; $treadle import churn.csv --target churned -o churn.h5", directory: directory)
        #expect(finished.code == 74)
        #expect(finished.errors.contains("File too large"))
        #expect(try directory.contents() == ["churn.csv"])
    }
}
