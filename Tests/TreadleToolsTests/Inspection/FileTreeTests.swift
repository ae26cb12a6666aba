import HDF5
import TestSupport
import Testing
@testable import TreadleTools

@Suite struct FileTreeTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func `a file is listed depth first with everything that describes it`() throws {
        let path = directory.file("a.h5")
        do {
            let file = try H5File.create(path)
            try file.setAttribute("format", "1")
            let weights = try file.write(
                [Float](repeating: 0, count: 12), to: "/layers/dense/0", shape: [3, 4],
                options: DatasetOptions(maxShape: [nil, 4], chunk: [3, 4], deflate: 1))
            try weights.setAttribute("scale", [0.5, .nan])
            try file.link("/model/weight", to: weights)
            try file.softLink("/nowhere", to: "/x")
        }
        let tree = try FileTree.read(path)
        #expect(
            tree.nodes.map(\.path) == [
                "/", "/layers", "/layers/dense", "/layers/dense/0", "/model", "/model/weight", "/nowhere",
            ])
        #expect(tree.nodes.map(\.depth) == [0, 1, 2, 3, 1, 2, 1])
        #expect(tree.nodes.map(\.kind) == [.group, .group, .group, .dataset, .group, .dataset, .softLink])
        #expect(tree.nodes[0].attributes == [.init(name: "format", type: "string", shape: [], texts: ["1"])])
        let array = try #require(tree.nodes[3].array)
        #expect(array.type == "float32")
        #expect(array.shape == [3, 4] && array.maxShape == [nil, 4])
        #expect(array.storage == .chunked(shape: [3, 4]))
        #expect(array.filters.map(\.name) == ["deflate"])
        #expect(tree.nodes[3].attributes[0].numbers?[1].isNaN == true)
        #expect(tree.nodes[5].sameAs == "/layers/dense/0" && !tree.nodes[5].isCycle)
        #expect(tree.nodes[6].linkTarget == "/x")
        #expect(!tree.isCut)
    }

    @Test func `a group within itself is marked and not entered`() throws {
        let path = directory.file("a.h5")
        do {
            let file = try H5File.create(path)
            let group = try file.createGroup("/a/b")
            try group.link("again", to: try file.group("/a"))
            try group.link("root", to: try file.group("/"))
        }
        let tree = try FileTree.read(path)
        #expect(tree.nodes.map(\.path) == ["/", "/a", "/a/b", "/a/b/again", "/a/b/root"])
        #expect(tree.nodes.map(\.isCycle) == [false, false, false, true, true])
        #expect(tree.nodes[3].sameAs == "/a")
    }

    @Test func `more than the limits is cut and said to be`() throws {
        let path = directory.file("a.h5")
        do {
            let file = try H5File.create(path)
            for number in 0..<300 { try file.createGroup("/wide/g\(number)") }
            try file.createGroup("/deep" + String(repeating: "/d", count: 100))
            for number in 0..<100 { try file.setAttribute("a\(number)", number) }
            try file.setAttribute("long", String(repeating: "x", count: 10_000))
        }
        var limits = FileTree.Limits()
        limits.nodes = 100
        let few = try FileTree.read(path, limits: limits)
        #expect(few.nodes.count == 100 && few.isCut)
        #expect(few.nodes[0].attributes.count == 64 && few.nodes[0].omittedAttributes == 37)
        limits.nodes = 1000
        limits.depth = 10
        let shallow = try FileTree.read(path, limits: limits)
        #expect(shallow.isCut)
        #expect(shallow.nodes.map(\.depth).max() == 10)
        #expect(shallow.nodes.filter { $0.depth == 10 }.map(\.omittedLinks) == [1])
        #expect(try FileTree.read(path).nodes.count == 1 + 1 + 300 + 64)
    }
}
