import Foundation
import TestSupport

/// h5py: an independent reader and writer of HDF5.
enum H5Py {
    struct Failure: Error, CustomStringConvertible { var description: String }

    private static let imports = "import h5py, sys, numpy as np\n"

    /// Runs `script` with h5py and NumPy imported, and returns what it prints.
    @discardableResult
    static func run(_ script: String, _ arguments: String...) throws -> String {
        let ended = try Python.run(imports + script, arguments)
        guard ended.code == 0 else { throw Failure(description: ended.errors) }
        return ended.output.trimmingCharacters(in: .newlines)
    }
}
