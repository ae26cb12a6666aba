import Foundation
import Testing
import TreadleBase
import TreadleConfiguration

@Suite struct ConfigurationPathTests {
    @Test func `paths start at the configuration's directory, the root or home`() throws {
        let home = NSHomeDirectory()
        let job = try Job.parse(Job.short)
        #expect(job.path("runs/a") == "/base/runs/a")
        #expect(job.path("./runs/a") == "/base/runs/a")
        #expect(job.path(".//a") == "/base/a")
        #expect(job.path("../a") == "/base/../a")
        #expect(job.path(".") == "/base")
        #expect(job.path("/data/a") == "/data/a")
        #expect(job.path("~/a") == home + "/a")
        #expect(job.path("~") == home)
        #expect(job.path("a~") == "/base/a~")
        #expect(PathResolution.resolve("a", in: "/") == "/a")
    }

    @Test func `patterns match files in the order of their bytes`() throws {
        try inDirectory([
            "b-2.h5", "b-10.h5", "B.h5", "a.h5", "ä.h5", ".hidden.h5", "note.txt", "sub/1/x.h5", "sub/2/x.h5",
            "sub/x.h5",
        ]) { (directory: String) throws in
            func files(_ patterns: String...) throws -> [String] {
                try PathResolution.files(patterns, in: directory).map { $0.replacing(directory + "/", with: "") }
            }
            #expect(try files("*.h5") == ["B.h5", "a.h5", "b-10.h5", "b-2.h5", "ä.h5"])
            #expect(try files("b-?.h5") == ["b-2.h5"])
            #expect(try files("[a-b]*.h5") == ["a.h5", "b-10.h5", "b-2.h5"])
            #expect(try files("[!a-b]*.h5") == ["B.h5", "ä.h5"])
            #expect(try files(".h*") == [".hidden.h5"])
            #expect(try files("sub/*/x.h5") == ["sub/1/x.h5", "sub/2/x.h5"])
            #expect(try files("*/x.h5") == ["sub/x.h5"])
            #expect(try files("b-*.h5", "a.h5") == ["b-10.h5", "b-2.h5", "a.h5"])
            #expect(try files("new.h5") == ["new.h5"])
            #expect(try PathResolution.files(["\(directory)/a*"], in: "/") == ["\(directory)/a.h5"])
        }
    }

    @Test func `brackets in a name that exists are part of it, also in the directory's`() throws {
        try inDirectory(["run[1]/a[0].h5", "run[1]/a0.h5"]) { (directory: String) throws in
            #expect(try PathResolution.files(["a[0].h5"], in: "\(directory)/run[1]") == ["\(directory)/run[1]/a[0].h5"])
            #expect(try PathResolution.files(["a[0-9].h5"], in: "\(directory)/run[1]") == ["\(directory)/run[1]/a0.h5"])
        }
    }

    @Test func `a pattern that matches nothing is named with its directory`() throws {
        try inDirectory(["a.h5"]) { (directory: String) throws in
            let job = try Configuration.parse(
                text: #"{ name: "n", data: { train: "train-*.h5" }, model: { hidden: [] } }"#, file: "job.json5",
                baseDirectory: directory)
            #expect(
                throws: TreadleError(
                    .noInput, "no file matches \"train-*.h5\" in \(directory); check the pattern and the directory")
            ) {
                try job.files(of: job.data.train)
            }
            #expect(
                throws: TreadleError(.noInput, "no file matches \"/none/*.h5\"; check the pattern and the directory")
            ) {
                try PathResolution.files(["/none/*.h5"], in: directory)
            }
        }
    }

    private func inDirectory(_ names: [String], _ body: (String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "paths-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        for name in names {
            let file = directory.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: file)
        }
        try body(directory.path)
    }
}
