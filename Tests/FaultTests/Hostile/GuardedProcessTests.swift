import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleTools

@Suite struct GuardedProcessTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func list(
        _ path: String, within bounds: GuardedProcess.Limits = .init(), executable: String = Program.path
    ) throws -> FileTree {
        try FileTree.readGuarded(path, within: bounds, helper: GuardedHelper(executable))
    }

    @Test func `a child lists a file as the program itself would`() throws {
        let path = directory.file("a\n\u{7}.h5")
        do {
            let file = try H5File.create(path)
            try file.write([1, 2, 3], to: "/x").setAttribute("limits", [Double.infinity, .pi])
        }
        #expect(try list(path) == FileTree.read(path))
    }

    @Test func `an error of the child is the parent's`() throws {
        let missing = #expect(throws: TreadleError.self) { try list(directory.file("none.h5")) }
        #expect(missing?.kind == .noInput)
        let text = try directory.write("a,b\n", to: "a.csv")
        #expect(#expect(throws: TreadleError.self) { try list(text) }?.kind == .badData)
    }

    @Test func `a configuration that is longer than a process's argument can be is trained`() throws {
        try directory.write("a,b,y\n" + (0..<40).map { "\($0),\($0 % 7),\($0 % 2)\n" }.joined(), to: "a.csv")
        #expect(try Program.run("import", "a.csv", "--target", "y", "-o", "a.h5", directory: directory).code == 0)
        // Linux takes 128 KiB for one.
        let long = String(repeating: "x", count: 1 << 18)
        try directory.write(
            """
            { name: "job", task: "classification", stop: { epochs: 1, early: null }, model: { hidden: [] },
              data: { train: { files: ["a.h5"] }, valid: { fraction: 0.3 } }, checkpoint: { dir: "run" },
              retrain: { promote: { to: "model.h5", hook: "true # \(long)" } } }
            """, to: "job.json5")
        for _ in 0..<2 {
            let ended = try Program.run("train", "job.json5", "--quiet", directory: directory)
            #expect(ended.code == 0, "\(ended.errors)")
        }
    }

    /// A program that behaves as libhdf5 does on a hostile file.
    private func program(_ body: String) throws -> String {
        // Another process writes it: a test that spawns meanwhile would hold this one's file open for writing, and a
        // file that is open for writing cannot be executed.
        let written = try Program.shell(
            "printf '#!/bin/sh\\n%s\\n' \"$body\" > program && chmod 755 program", environment: ["body": body],
            directory: directory)
        #expect(written.code == 0)
        return directory.file("program")
    }

    @Test func `a child that dies makes the file damaged or hostile`() throws {
        let path = try directory.write("x", to: "a\u{1b}.h5")
        for body in ["kill -SEGV $$", "kill -ABRT $$", "exit 3", "echo '{'", "yes"] {
            let limits = GuardedProcess.Limits(response: 1 << 20)
            let error = #expect(throws: TreadleError.self) {
                try list(path, within: limits, executable: try program(body))
            }
            #expect(error?.kind == .badData)
            #expect(error?.messages[0].contains("a\\u{1b}.h5: damaged or hostile") == true, "\(body)")
        }
    }

    @Test func `a child that does not end is ended`() throws {
        let path = try directory.write("x", to: "a.h5")
        let error = #expect(throws: TreadleError.self) {
            try list(path, within: GuardedProcess.Limits(seconds: 1), executable: try program("exec sleep 100"))
        }
        #expect(
            error?.messages
                == [
                    "\(path): damaged, hostile or very large: reading it took more than 5 s; if you trust it, "
                        + "\"treadle inspect --limit SECONDS FILE\" looks at it for longer; other commands take no longer"
                ])
    }
}

extension GuardedProcessTests {
    @Test func `a mutated file gives a listing or an error that names it`() throws {
        let path = directory.file("a.h5")
        do {
            let file = try H5File.create(path)
            for number in 0..<4 {
                try file.write(
                    [Float](repeating: 1, count: 64), to: "/g\(number)/x", shape: [8, 8],
                    options: DatasetOptions(chunk: [4, 8], deflate: 1)
                ).setAttribute("names", ["a", "b"])
            }
        }
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var random = SplitMix(seed: 7)
        for _ in 0..<60 {
            var mutant = whole
            for _ in 0..<8 {
                mutant[Int(random.next() % UInt64(whole.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            try mutant.write(to: URL(fileURLWithPath: path))
            do {
                let tree = try list(path, within: GuardedProcess.Limits(memory: 256 << 20, seconds: 5))
                #expect(tree.nodes.first?.path == "/")
            } catch {
                #expect((error as? TreadleError)?.messages.allSatisfy { $0.hasPrefix(path) } == true, "\(error)")
            }
        }
    }
}
