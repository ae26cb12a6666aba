internal import HDF5
internal import TreadleBase

/// Three classes by a line and a product of two columns.
package func writeThreeClasses(to path: String) throws {
    let random = Philox(seed: 17, purpose: .generation)
    let x: [Float] = (0..<1500 * 8).map { index in
        let word = random.words(at: UInt64(index))[0]
        return Float(word) / Float(UInt32.max) * 2 - 1
    }
    let y: [Int64] = (0..<1500).map { row in
        let first = x[row * 8] + x[row * 8 + 1] / 2
        let product = x[row * 8 + 2] * x[row * 8 + 3]
        return first > 0.3 ? 2 : product > 0 ? 1 : 0
    }
    let file = try H5File.create(path)
    try file.write(x, to: "x", shape: [1500, 8])
    try file.write(y, to: "y")
    try file.flush()
}

/// A directory with these rows in `data.h5`, and `job.json5` to train on them: `data` and `rest` are more members of the section
/// `data` and of the whole.
package func threeClassJob(name: String = "job", data: String, _ rest: String) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try writeThreeClasses(to: directory.file("data.h5"))
    try directory.write(
        """
        { schema: 1, name: "\(name)", task: "classification", data: { train: { files: ["data.h5"] }, \(data) },
          \(rest) }
        """, to: "job.json5")
    return directory
}
