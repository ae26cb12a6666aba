import Foundation
import HDF5
import RunTestSupport
import TestSupport
import Testing
import TreadleBase
import TreadleRun
import TreadleTools

@Suite struct InspectTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try CheckpointFile.write(smallCheckpoint(), to: directory.file("a.h5"))
    }

    private func inspect(_ arguments: String..., environment: [String: String] = [:]) throws -> Finished {
        try Program.start(["inspect"] + arguments, environment: environment, directory: directory).finish()
    }

    private var size: String {
        get throws {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.file("a.h5"))
            return try #require(attributes[.size] as? Int).asBytes
        }
    }

    @Test func `a checkpoint is shown whole`() throws {
        let result = try inspect("a.h5")
        #expect(result.code == 0 && result.errors == "")
        #expect(
            result.output == """
                a.h5: classification, 3–2–2, 14 parameters, \(try size)

                  layer    shape  parameters  activation  dropout
                  dense      3×2           8  relu            0.1
                  dense_1    2×2           6  identity          0

                  task        classification into 2 classes: no, yes\\u{1b}[31m; by cross_entropy
                  inputs      3 numbers of float32: age, rooms, rent
                  normalized  inputs shifted by 1 to 3 and multiplied by 0.5 to 2
                  trained     2 epochs, 20 updates in 1m 23s; finished
                  best        0.375 in epoch 2
                  metrics     epoch 2: loss 0.5, valid.accuracy 0.75, valid.loss 0.375
                  optimizer   adam, lr 0.001, schedule constant
                  memory      m of norm 4.079; v of norm 4.079
                  data        sha256:00ff
                  weights     sha256:\(smallCheckpoint().parameterDigest)
                  file        its contents agree with their SHA-256
                  written     by treadle \(Treadle.version), numerics \(Treadle.numerics)

                  0.7500 │⠉⠉⠒⠒⠒⠤⠤⠤⣀⣀⣀
                         │           ⠉⠉⠉⠒⠒⠒⠢⠤⠤⢄⣀⣀⡀
                         │                       ⠈⠉⠉⠑⠒⠒⠢⠤⠤⢄⣀⣀⡀
                         │                                   ⠈⠉⠉⠑⠒⠒⠢⠤⠤⢄⣀⣀⡀
                         │                                               ⠈⠉⠉⠉⠒⠒⠒⠤⠤⠤⣀⣀⣀
                         │⠒⠒⠒⠒⠒⠢⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀                                          ⠉⠉⠉⠒ loss
                         │                  ⠉⠉⠉⠉⠉⠉⠒⠒⠒⠒⠒⠒⠤⠤⠤⠤⠤⠤⣀⣀⣀⣀⣀⣀
                  0.3750 │                                          ⠉⠉⠉⠉⠉⠉⠑⠒⠒⠒⠒⠒⠢⠤⠤⠤⠤⠤⢄⣀⣀⣀ valid.loss
                          epoch 1                                                        2

                  tensor            mean  spread   norm    min    max  zeros  NaN  from min to max
                  dense/weight     0.333    1.49   3.74     -2      3      3    0  ▃     █  ▃     ▃
                  dense/bias       -0.25    0.75   1.12     -1    0.5      0    0  █              █
                  dense_1/weight   0.375   0.451   1.17  -0.25      1      0    0  █     █  █     █
                  dense_1/bias    0.0625  0.0625  0.125      0  0.125      1    0  █              █

                !  layer dense: 1 of 2 units is dead
                     they give the same for every input and learn no more: optimizer.lr was too high, or the start
                     was bad; lower it, or use leaky_relu, elu or gelu

                """)
    }

    @Test func `in a locale without Unicode it is ASCII`() throws {
        let result = try inspect("a.h5", environment: ["LC_ALL": "C"])
        #expect(result.code == 0)
        #expect(result.output.utf8.allSatisfy { $0 == 0x0A || (0x20..<0x7F).contains($0) })
        #expect(result.output.contains("3x2") && result.output.contains("3-2-2"))
    }

    @Test func `the digest is 64 digits and nothing else`() throws {
        let result = try inspect("--digest", "a.h5")
        let json = try inspect("--digest", "--json", "a.h5")
        #expect(JSONValue(parsing: json.output) == ["digest": .string(String(result.output.dropLast()))])
        #expect(result.code == 0 && result.output == smallCheckpoint().parameterDigest + "\n")
        #expect(result.output.count == 65 && result.output.dropLast().allSatisfy { $0.isHexDigit })
    }

    @Test func `JSON has all of it`() throws {
        let result = try inspect("--json", "a.h5")
        let json = try #require(JSONValue(parsing: result.output))
        #expect(json["digest"]?.string == smallCheckpoint().parameterDigest)
        #expect(json["configuration"]?["optimizer"]?["type"]?.string == "adam")
        #expect(json["classes"] == ["no", "yes\u{1b}[31m"])
        #expect(!result.output.contains("\u{1b}"))
        #expect(json["normalization"]?["factor"] == [0.5, 0.5, 2])
        #expect(json["cursor"] == ["epoch": 2, "batch": 0, "step": 20])
        guard case .array(let layers) = json["layers"], case .array(let tensors) = json["tensors"],
            case .array(let signs) = json["signs"], case .array(let history) = json["history"]
        else {
            Issue.record("layers, tensors, signs and history are lists")
            return
        }
        #expect(layers.map { $0["dead_units"] } == [[1], []])
        #expect(tensors.count == 12 && tensors[0]["name"]?.string == "dense/weight" && tensors[0]["zeros"] == 3)
        #expect(signs.count == 1 && history.count == 2 && history[1]["valid.accuracy"]?.double == 0.75)
    }

    @Test func `a tensor is printed in parts, as text, CSV and JSON`() throws {
        #expect(
            try inspect("--tensor", "dense/weight[0:2,:5]", "a.h5").output == """
                dense/weight: 2×2 float32
                   1  0
                  -2  0

                """)
        #expect(try inspect("--tensor", "dense_1/weight", "--csv", "a.h5").output == "0.25,-0.25\n0.5,1.0\n")
        #expect(try inspect("--tensor", "optimizer/m/dense/bias[-1]", "--csv", "a.h5").output == "-1.0\n")
        let json = try inspect("--tensor", "dense/weight[1:]", "--json", "a.h5").output
        #expect(JSONValue(parsing: json)?["values"] == [[-2, 0], [3, 0]])
        let unknown = try inspect("--tensor", "dense/kernel", "a.h5")
        #expect(unknown.code == 64 && unknown.errors.contains("no array dense/kernel; there is dense/weight"))
        #expect(try inspect("--tensor", "dense/weight[9]", "a.h5").code == 64)
        #expect(try inspect("--csv", "a.h5").code == 64)
    }

    @Test func `a page is written without data, and says so`() throws {
        let result = try inspect("--html", "report.html", "a.h5")
        #expect(result.code == 0 && result.output == "")
        #expect(result.errorLines.last == "report.html: the report on a.h5")
        let said = try inspect("--html", "said.html", "--quiet", "--json", "a.h5")
        let json = try #require(JSONValue(parsing: said.output))
        #expect(json["file"] == "said.html" && json["checkpoint"] == "a.h5" && json["set"] == .null)
        #expect(json["note"]?.string?.isEmpty == false)
        let page = try directory.read("report.html")
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("Left out: "))
        #expect(try inspect("--html", "-", "--quiet", "a.h5").output == page)
    }

    @Test func `what cannot be inspected has the exit code for it`() throws {
        try directory.write("x,y\n", to: "a.csv")
        try directory.write("", to: "empty.h5")
        var damaged = try Data(contentsOf: URL(fileURLWithPath: directory.file("a.h5")))
        damaged[2000] ^= 1
        try directory.write(damaged, to: "damaged.h5")
        for (name, code, words) in [
            ("none.h5", Int32(66), "no such file"), ("a.csv", 65, "not an HDF5 file"),
            ("empty.h5", 65, "empty, not a checkpoint"), ("damaged.h5", 65, "fail their SHA-256"),
            (".", 65, "is a directory"),
        ] {
            let result = try inspect(name)
            #expect(result.code == code && result.output == "", "\(name): \(result.errors)")
            #expect(result.errors.contains(words), "\(name): \(result.errors)")
        }
    }
}

@Suite struct InspectForeignTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func inspect(_ arguments: String...) throws -> Finished {
        try Program.start(["inspect"] + arguments, directory: directory).finish()
    }

    /// Like weights of Keras, and whatever else a file may hold.
    private func makeFile() throws {
        let file = try H5File.create(directory.file("b.h5"))
        try file.setAttribute("backend", "none")
        try file.write(
            (0..<12).map { Float($0) }, to: "/layers/dense/vars/0", shape: [3, 4],
            options: DatasetOptions(chunk: [2, 4], fletcher32: true))
        try file.write([Float.nan, 1, 0, 1], to: "/layers/dense/vars/1")
        try file.write([7], to: "/step", shape: [])
        try file.write(strings: ["cat", "dog\u{7}"], to: "/names", size: 8)
        try file.createDataset(
            "/huge", type: .float32, shape: [1 << 25, 1 << 25], options: DatasetOptions(chunk: [1 << 10, 1 << 10]))
        try file.link("/layers/dense/loop", to: try file.group("/layers"))
        try file.softLink("/soft", to: "/nowhere")
    }

    @Test func `any HDF5 file is shown as a tree with statistics`() throws {
        try makeFile()
        let result = try inspect("b.h5")
        #expect(result.code == 0 && result.errors == "")
        #expect(
            result.output == """
                b.h5: HDF5, not a checkpoint of treadle; 4 groups, 5 datasets, 112 bytes of data

                                                          mean  spread  min  max  zeros  NaN
                  /
                    @backend   = none
                    huge       33554432×33554432 float32; chunked; (nothing is stored)
                    layers/
                      dense/
                        loop/  a way back to /layers
                        vars/
                          0    3×4 float32; fletcher32     5.5    3.45    0   11      1    0  █▄█▄▄█▄█
                          1    4 float32 = nan, 1, 0, 1  0.667   0.471    0    1      1    1  ▄      █
                    names      2 string[8] = cat, dog\\u{7}
                    soft       soft link to /nowhere
                    step       int64 = 7                     7       0    7    7      0    0     █

                """)
    }

    @Test func `JSON has the tree, and a part of a dataset is printed`() throws {
        try makeFile()
        let json = try #require(JSONValue(parsing: try inspect("--json", "b.h5").output))
        guard case .array(let objects) = json["objects"] else {
            Issue.record("objects is a list")
            return
        }
        let weights = try #require(objects.first { $0["path"]?.string == "/layers/dense/vars/0" })
        #expect(weights["statistics"]?["mean"]?.double == 5.5 && weights["shape"] == [3, 4])
        #expect(try inspect("--tensor", "/layers/dense/vars/0[1,:3]", "--csv", "b.h5").output == "4.0\n5.0\n6.0\n")
        #expect(try inspect("--tensor", "/step", "--csv", "b.h5").output == "7\n")
        #expect(try inspect("--tensor", "/names[1:]", "--csv", "b.h5").output == "dog\\u{7}\n")
        let missing = try inspect("--tensor", "/layers/conv", "b.h5")
        #expect(missing.code == 65 && missing.errors.contains("no such object; there is /layers/dense"))
        let large = try inspect("--tensor", "/huge", "b.h5")
        #expect(large.code == 64 && large.errors.contains("ask for a part"))
        #expect(try inspect("--digest", "b.h5").code == 65)
        #expect(try inspect("--html", "r.html", "b.h5").code == 65)
    }

    @Test func `a hundred thousand objects and a thousand levels are cut, not lost in`() throws {
        do {
            let file = try H5File.create(directory.file("many.h5"))
            let group = try file.createGroup("/many")
            for index in 0..<12_000 { try group.link("link\(index)", to: file) }
            try file.createGroup("/deep" + String(repeating: "/d", count: 1000))
        }
        let result = try inspect("--limit", "60", "many.h5")
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.hasSuffix("There is more than is listed here.\n"))
    }
}
