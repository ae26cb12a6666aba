internal import Foundation

/// The Python that tests compare with: the interpreter named by TREADLE_PYTHON, as Scripts/test sets it.
package enum Python {
    package static var interpreter: String? {
        ProcessInfo.processInfo.environment["TREADLE_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether there is a Python with NumPy and h5py: for `.enabled(if: Python.available)`.
    package static let available = has("numpy", "h5py")

    /// Whether all these modules can be imported.
    package static func has(_ modules: String...) -> Bool {
        guard interpreter != nil else { return false }
        let imports = modules.map { "import \($0)" }.joined(separator: "; ")
        return (try? run(imports))?.code == 0
    }

    /// Runs a script with the given arguments.
    package static func run(_ script: String, _ arguments: String...) throws -> Finished {
        try run(script, arguments)
    }

    package static func run(_ script: String, _ arguments: [String]) throws -> Finished {
        guard let interpreter else { throw Missing() }
        return try Spawned(interpreter, ["-c", script] + arguments, inheritsEnvironment: true).finish()
    }

    /// TREADLE_PYTHON is not set: run the tests with Scripts/test.
    package struct Missing: Error {}
}
