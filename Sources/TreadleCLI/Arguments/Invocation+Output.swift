extension Invocation {
    /// Throws where `--json` would share stdout with the output itself.
    func checkJSON(beside output: Option) throws {
        guard wantsJSON, value(output) == "-" else { return }
        throw usage("--json and --\(output.long) - both write to stdout; name a file, or leave --json out")
    }

    /// The name of the HDF5 file that `output` asks for, and not of another kind of file.
    ///
    /// Extensions that are nobody's are the user's own business. `alternative` is what the command also writes.
    func hdf5File(_ output: Option, or alternative: String? = nil) throws -> String {
        let path = try required(output)
        guard path != "-" else {
            throw usage("\(command.name) writes HDF5, which does not go to stdout; name a file, such as data.h5")
        }
        let name = path.lowercased()
        if let other = Self.otherFormats.first(where: { name.hasSuffix($0) }) {
            let names = alternative.map { ".h5, .hdf5 or \($0)" } ?? ".h5 or .hdf5"
            throw usage("\(path): \(command.name) does not write \(other); choose a name in \(names)")
        }
        return path
    }

    /// The extensions of what is plainly not HDF5.
    private static let otherFormats = [
        ".npy", ".npz", ".csv", ".tsv", ".tab", ".txt", ".json", ".json5", ".jsonl", ".parquet", ".feather", ".arrow",
        ".xls", ".xlsx", ".pkl", ".pickle", ".onnx", ".safetensors", ".svg", ".html", ".zip", ".gz",
    ]
}
