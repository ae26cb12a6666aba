import Foundation
import Synchronization
import TestSupport
import Testing
import TreadleBase

@Suite struct DurableFileTests {
    @Test func `a file is replaced whole, also by many short writes`() throws {
        let directory = try TemporaryDirectory()
        try DurableFile.write("old", to: directory.file("a"))
        let text = String(repeating: "new and longer ", count: 100)
        try DurableFile.write(text, to: directory.file("a"), calls: SystemCalls(longestWrite: 7))
        #expect(try String(contentsOfFile: directory.file("a"), encoding: .utf8) == text)
        #expect(try directory.contents() == ["a"])
    }

    @Test func `without a commit the target is what it was`() throws {
        let directory = try TemporaryDirectory()
        try DurableFile.write("old", to: directory.file("a"))
        do {
            var file = try DurableFile(replacing: directory.file("a"))
            try file.write(Array("new".utf8))
            #expect(try directory.contents().count == 2)
        }
        #expect(try String(contentsOfFile: directory.file("a"), encoding: .utf8) == "old")
        #expect(try directory.contents() == ["a"])
    }

    /// What fails, and whether the new file stands nevertheless: only once it was renamed.
    @Test(arguments: [
        (SystemCalls.Call.open, false), (.write, false), (.fsync, false), (.close, false), (.rename, false),
        (.openDirectory, true), (.fsyncDirectory, true),
    ])
    func `each call failing leaves the old file or the new one, and says which call`(
        call: SystemCalls.Call, stands: Bool
    ) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a")
        try DurableFile.write("old", to: path)
        let error = #expect(throws: TreadleError.self) {
            try DurableFile.write("new", to: path, calls: .failing(call, with: EIO))
        }
        #expect(error?.kind == .inputOutput)
        let place = stands ? directory.path : path
        #expect(error?.description.hasPrefix("\(place): \(call.rawValue) failed: Input/output error; ") == true)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == (stands ? "new" : "old"))
        #expect(try directory.contents() == ["a"])
    }

    @Test(arguments: [SystemCalls.Call.open, .write, .rename])
    func `an interrupted call is repeated`(call: SystemCalls.Call) throws {
        let directory = try TemporaryDirectory()
        try DurableFile.write("new", to: directory.file("a"), calls: .failing(call, with: EINTR))
        #expect(try String(contentsOfFile: directory.file("a"), encoding: .utf8) == "new")
    }

    @Test func `a failed fsync is never asked again`() throws {
        let directory = try TemporaryDirectory()
        let asked = Mutex(0)
        let calls = SystemCalls { call in
            guard call == .fsync else { return nil }
            return asked.withLock { count in
                count += 1
                return EINTR
            }
        }
        #expect(throws: TreadleError.self) { try DurableFile.write("new", to: directory.file("a"), calls: calls) }
        #expect(asked.withLock { $0 } == 1)
        #expect(try directory.contents() == [])
    }

    @Test(arguments: [
        (ENOSPC, TreadleError.Kind.inputOutput), (EDQUOT, .inputOutput), (EFBIG, .inputOutput), (EACCES, .permission),
        (EROFS, .cannotCreate), (ENOENT, .cannotCreate),
    ])
    func `the reason decides the exit code`(number: Int32, kind: TreadleError.Kind) throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: TreadleError.self) {
            try DurableFile.write("new", to: directory.file("a"), calls: .failing(.open, with: number))
        }
        #expect(error?.kind == kind)
    }

    @Test func `a second name replaces a file, the same file included`() throws {
        let directory = try TemporaryDirectory()
        try DurableFile.write("one", to: directory.file("a"))
        try DurableFile.write("two", to: directory.file("b"))
        for _ in 0..<2 { try DurableFile.link(directory.file("a"), replacing: directory.file("b")) }
        #expect(try String(contentsOfFile: directory.file("b"), encoding: .utf8) == "one")
        #expect(try directory.contents() == ["a", "b"])
    }

    @Test func `only temporaries are leftovers`() throws {
        let directory = try TemporaryDirectory()
        let kept = [".a.tmp", ".a.0123456789abcde.tmp", "a.0123456789abcdef.tmp", ".a.0123456789abcdeg.tmp", "a"]
        for name in kept + [".step-00000001.h5.0123456789abcdef.tmp"] {
            try Data().write(to: URL(fileURLWithPath: directory.file(name)))
        }
        #expect(DurableFile.removeLeftovers(in: directory.path) == [".step-00000001.h5.0123456789abcdef.tmp"])
        #expect(try directory.contents() == kept.sorted())
    }

    @Test func `a new file takes away what killed writers of it left, and nothing else`() throws {
        let directory = try TemporaryDirectory()
        let old = ".a.0123456789abcdef.tmp"
        let kept = [".b.0123456789abcdef.tmp", ".a.b.0123456789abcdef.tmp", ".a.tmp", ".a.0123456789abcdeg.tmp"]
        for name in kept + [old] { try directory.write("old", to: name) }
        // A second name of a file: another process is about to rename it.
        let linked = ".a.fedcba9876543210.tmp"
        try FileManager.default.linkItem(atPath: directory.file(".a.tmp"), toPath: directory.file(linked))
        var living = try DurableFile(creating: directory.file("a"), replacing: false)
        try living.write(Array("one".utf8))
        #expect(try !directory.contents().contains(old))
        // The second writer leaves the first one's temporary alone.
        var second = try DurableFile(creating: directory.file("a"), replacing: false)
        #expect(try directory.contents().count == kept.count + 3)
        try second.write(Array("two".utf8))
        try second.commit()
        try living.commit()
        #expect(try directory.read("a") == "one")
        #expect(try directory.contents() == (kept + [linked, "a"]).sorted())
    }

    @Test func `the permissions of a replaced file stay`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a")
        try DurableFile.write("old", to: path)
        #expect(chmod(path, 0o640) == 0)
        try DurableFile.write("new", to: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o640)
    }

    @Test func `devices, pipes and directories are refused, not replaced`() throws {
        let directory = try TemporaryDirectory()
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        // By a link: should this fail, the device itself is still there.
        #expect(symlink("/dev/null", directory.file("null")) == 0)
        for path in [directory.file("pipe"), directory.file("null"), directory.path] {
            let error = #expect(throws: TreadleError.self) { try DurableFile.write("x", to: path) }
            #expect(error?.kind == .cannotCreate)
            #expect(error?.description.hasPrefix("\(path): ") == true)
        }
        #expect(try directory.contents() == ["null", "pipe"])
    }

    @Test func `the longest names work`() throws {
        let directory = try TemporaryDirectory()
        let name = String(repeating: "ä", count: 127)
        try DurableFile.write("x", to: directory.file(name))
        #expect(try directory.contents() == [name])
    }
}
