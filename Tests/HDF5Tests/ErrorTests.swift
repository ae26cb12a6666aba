import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct ErrorTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func failure(_ path: String, policy: AccessPolicy = .confined) -> H5Error? {
        #expect(throws: H5Error.self) { try H5File.open(path, policy: policy) }
    }

    private func sample(_ name: String) throws -> String {
        let path = directory.file(name)
        let file = try H5File.create(path)
        try file.write((0..<2000).map { Float($0) }, to: "/x", shape: [200, 10])
        try file.write((0..<2000).map { Float($0) }, to: "/z", options: DatasetOptions(chunk: [100], deflate: 1))
        return path
    }

    @Test func `what is no HDF5 file says so`() throws {
        #expect(failure(directory.file("none.h5"))?.description == "\(directory.file("none.h5")): no such file")
        #expect(failure(directory.file("none.h5"))?.kind == .noSuchFile)
        #expect(failure(directory.path)?.kind == .directory)
        #expect(failure(try directory.write("", to: "empty"))?.reason == "is empty")
        #expect(failure(try directory.write("a,b\n1,2\n", to: "a.csv"))?.kind == .notHDF5)
        #expect(failure("/dev/null")?.kind == .notHDF5)
        #expect(failure(try sample("a.h5") + "/b")?.kind == .noSuchFile)
    }

    @Test func `a file cut anywhere is an error, never a crash`() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: try sample("a.h5")))
        for percent in 0..<100 {
            let path = try directory.write(whole.prefix(whole.count * percent / 100), to: "cut.h5")
            let error = failure(path)
            #expect(error?.kind == (percent == 0 ? .notHDF5 : .truncated))
        }
        let path = try directory.write(whole.prefix(whole.count - 1), to: "cut.h5")
        #expect(
            failure(path)?.reason == "is cut short: it has \(whole.count - 1) of its \(whole.count) bytes")
    }

    @Test func `objects that are missing or of another kind are named`() throws {
        let file = try H5File.open(try sample("a.h5"))
        let missing = #expect(throws: H5Error.self) { try file.dataset("/y") }
        #expect(missing?.reason == "no such object; there is /x, /z")
        let deeper = #expect(throws: H5Error.self) { try file.dataset("/q/r") }
        #expect(deeper?.kind == .noSuchObject(nearby: ["/x", "/z"]))
        #expect(throws: H5Error.self) { try file.dataset("/x/y") }
        let group = #expect(throws: H5Error.self) { try file.dataset("/") }
        #expect(group?.reason == "is a group, not a dataset")
        let dataset = #expect(throws: H5Error.self) { try file.group("/x") }
        #expect(dataset?.kind == .mismatch)
        let text = #expect(throws: H5Error.self) { try file.dataset("/x").readStrings() }
        #expect(text?.reason == "holds float32, where strings are due")
        let outside = #expect(throws: H5Error.self) { try file.dataset("/x").read(as: Float.self, rows: 199..<201) }
        #expect(outside?.kind == .mismatch)
        let attribute = #expect(throws: H5Error.self) { try file.attribute("version") }
        #expect(attribute?.reason == "has no attribute \"version\"")
    }

    @Test func `links that lead nowhere or in a circle are errors`() throws {
        let file = try H5File.create(directory.file("a.h5"))
        try file.softLink("/a", to: "/b")
        try file.softLink("/b", to: "/a")
        try file.softLink("/nowhere", to: "/x")
        for name in ["/a", "/b", "/nowhere", "/a/c"] {
            let error = #expect(throws: H5Error.self) { try file.dataset(name) }
            #expect(error?.reason.contains("soft link") == true)
            #expect(try !file.contains(name))
        }
        #expect(try file.links().map(\.kind) == [.soft, .soft, .soft])
    }

    @Test func `other files are read only where that is allowed`() throws {
        let path = directory.file("a.h5")
        func add(_ name: String, to file: LibraryFile, _ form: LibraryFile.Form) throws {
            try file.add(name, [0, 1, 2, 3], shape: [4, 1], form)
        }
        try add("x", to: LibraryFile(directory.file("other.h5")), .contiguous)
        do {
            let file = try H5File.create(path)
            try file.softLink("/soft", to: "/link")
        }
        let file = LibraryFile(adding: path)
        try file.link("link", to: "/x", of: "other.h5")
        try file.link("deep/link", to: "/", of: "other.h5")
        try add("raw", to: file, .external(directory.file("raw.bin")))
        try add("inside", to: file, .contiguous)
        for (name, other, dataset) in [
            ("virtual", "other.h5", "x"), ("itself", ".", "inside"), ("nested", ".", "virtual"),
            ("circle", ".", "circle"), ("through", ".", "link"),
        ] {
            try add(name, to: file, .virtual(file: other, dataset: dataset))
        }
        let confined = try H5File.open(path)
        for name in ["link", "soft", "deep/link/x", "raw", "virtual", "nested", "circle", "through"] {
            let error = #expect(throws: H5Error.self) { try confined.dataset(name) }
            #expect(error?.kind == .refused, "\(name): \(String(describing: error))")
        }
        #expect(try confined.dataset("itself").read(as: Int.self) == [0, 1, 2, 3])
        #expect(try confined.links().contains { $0.name == "link" && $0.kind == .external })
        let open = try H5File.open(path, policy: AccessPolicy(allowsOtherFiles: true))
        for name in ["link", "soft", "deep/link/x", "raw", "virtual", "nested"] {
            #expect(try open.dataset(name).read(as: Int.self) == [0, 1, 2, 3], "\(name)")
        }
    }

    @Test func `a missing filter is named with its number`() throws {
        let path = directory.file("a.h5")
        try LibraryFile(path).add("x", [Double](repeating: 0, count: 1000), shape: [1000, 1], .filtered(by: 307))
        let dataset = try H5File.open(path).dataset("x")
        #expect(dataset.filters.last?.isAvailable == false)
        let error = #expect(throws: H5Error.self) { try dataset.read(as: Int.self) }
        #expect(error?.kind == .missingFilter(id: 307, name: "bzip2"))
        #expect(error?.reason.contains("bzip2 (number 307)") == true)
    }

    @Test func `a file that a writer holds says so`() throws {
        let path = try sample("a.h5")
        // As libhdf5 holds what it writes.
        let writer = open(path, O_RDWR | O_CLOEXEC)
        #expect(flock(writer, LOCK_EX | LOCK_NB) == 0)
        let error = failure(path)
        #expect(error?.kind == .locked)
        #expect(error?.reason.contains("being written by another program") == true)
        close(writer)
        #expect(throws: Never.self) { try H5File.open(path) }
    }

    @Test func `a reader's lock goes with its last handle, though a child that is being started has its descriptor`()
        throws
    {
        let path = try sample("a.h5")
        var first: H5File? = try H5File.open(path)
        var second: H5File? = try H5File.open(path)
        let inherited = dup(try #require(first?.descriptor))
        defer { close(inherited) }
        let writer = open(path, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        #expect(flock(writer, LOCK_EX | LOCK_NB) != 0)
        second = nil
        #expect(flock(writer, LOCK_EX | LOCK_NB) != 0)
        #expect(try first?.dataset("/x").read(as: Int.self, rows: 0..<1).count == 10)
        first = nil
        #expect(second == nil && flock(writer, LOCK_EX | LOCK_NB) == 0)
    }

    @Test(.enabled(if: getuid() != 0, "root may read everything")) func `an unreadable file is a matter of permission`()
        throws
    {
        let path = try sample("a.h5")
        chmod(path, 0)
        #expect(failure(path)?.kind == .permission)
    }

    @Test func `files that cannot be created say why`() throws {
        func creating(_ path: String) -> H5Error? {
            #expect(throws: H5Error.self) { try H5File.create(path, replacing: false) }
        }
        #expect(creating(try sample("a.h5"))?.kind == .exists)
        #expect(creating(directory.file("none/a.h5"))?.kind == .failedWrite(ENOENT))
    }

    @Test func `long strings stop at the limit`() throws {
        let path = directory.file("a.h5")
        do {
            let (words, file) = (
                [String](repeating: String(repeating: "x", count: 100_000), count: 20), try H5File.create(path)
            )
            try file.write(strings: words, to: "variable")
            try file.write(strings: words, to: "fixed", size: 100_000)
        }
        let file = try H5File.open(path)
        for name in ["variable", "fixed"] {
            let error = #expect(throws: H5Error.self) { try file.dataset(name).readStrings(byteLimit: 1_000_000) }
            #expect(error?.kind == .tooLarge, "\(name): \(String(describing: error))")
            #expect(try file.dataset(name).readStrings(byteLimit: 3_000_000).count == 20)
        }
    }

    @Test func `names cannot act on a terminal`() throws {
        let file = try H5File.create(directory.file("a.h5"))
        let name = "\u{1b}[31mred\u{7}\u{202e}\n"
        try file.write([1], to: name)
        let error = #expect(throws: H5Error.self) { try file.dataset("x") }
        #expect(error?.description.contains("/\\u{1b}[31mred\\u{7}\\u{202e}\\n") == true)
        #expect(try file.links()[0].name == name)
        #expect("Grüße, 世界 🦊".printable == "Grüße, 世界 🦊")
    }
}
