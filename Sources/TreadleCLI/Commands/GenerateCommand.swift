internal import TreadleBase
internal import TreadleData
internal import TreadleTools

/// `treadle generate KIND`: data to try things with.
enum GenerateCommand {
    private static let kind = Argument(
        "KIND", "images, regression, linear or churn", values: .choice(GeneratedData.allCases.map(\.rawValue)))
    private static let output = Option.value("output", short: "o", "FILE", "the HDF5 file to write", values: .file)
    private static let rows = Option.value("rows", "N", "how many rows (default: 10000)")
    private static let skip = Option.value(
        "skip", "N", "leave out the first N rows: for a test set beside a training set")
    private static let force = Option.flag("force", "replace the file if it exists")

    static let command = Command(
        "generate", group: .data,
        summary: "make up a dataset to try things with",
        discussion: [
            "images: 28×28 bytes in ten classes. regression: ten numbers and a quantity that depends on five of them. "
                + "linear: forty numbers and their weighted sum. churn: twelve numbers and two classes. The same rows "
                + "come out on every machine."
        ],
        examples: [
            .init("treadle generate images --rows 60000 -o train.h5", "something like a set of pictures"),
            .init("treadle generate images --rows 10000 --skip 60000 -o test.h5", "other pictures of the same kind"),
        ],
        arguments: [kind],
        options: [output, rows, skip, force],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        guard let data = GeneratedData(rawValue: call.argument(kind)) else { throw call.usage("unknown kind of data") }
        let count = try call.integer(rows, in: 1...1_000_000_000) ?? 10_000
        let first = try call.integer(skip, in: 0...1_000_000_000) ?? 0
        let path = try call.hdf5File(output)
        let summary = try data.write(
            to: path, rows: first..<first + count, replacing: call.has(force), workers: try call.workers())
        if call.wantsJSON {
            let arrays = summary.arrays.map { array -> JSONValue in
                [
                    "name": .string(array.name), "shape": .array(array.shape.map(JSONValue.integer)),
                    "type": .string(array.type),
                ]
            }
            try call.output.write(
                json: ["file": .string(path), "rows": .integer(count), "arrays": .array(arrays)])
            return .done
        }
        let arrays = summary.arrays.map { array in
            "\(array.name) \(array.shape.map(String.init).joined(separator: "×")) \(array.type)"
        }
        call.log.note("\(path): " + arrays.joined(separator: ", "))
        return .done
    }
}
