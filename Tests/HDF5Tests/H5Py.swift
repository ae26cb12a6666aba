import Foundation
import TestSupport

/// h5py: an independent reader and writer of HDF5.
enum H5Py {
    struct Failure: Error, CustomStringConvertible { var description: String }

    private static let imports = "import h5py, sys, numpy as np\n"

    /// Runs `script` with h5py and NumPy imported, and returns what it prints.
    @discardableResult
    static func run(_ script: String, _ arguments: String...) throws -> String {
        let ended = try start(script, arguments).finish()
        guard ended.code == 0 else { throw Failure(description: ended.errors) }
        return ended.output.trimmingCharacters(in: .newlines)
    }

    /// A process that has run `script` and keeps what it opened until it is sent a signal.
    static func holding(_ script: String, _ argument: String) throws -> Spawned {
        let process = try start(script + "\nprint('ready', flush=True)\nimport time; time.sleep(60)", [argument])
        while process.isRunning, process.outputSoFar.isEmpty { usleep(10_000) }
        return process
    }

    private static func start(_ script: String, _ arguments: [String]) throws -> Spawned {
        guard let interpreter = Python.interpreter else { throw Failure(description: "TREADLE_PYTHON is not set") }
        return try Spawned(interpreter, ["-c", imports + script] + arguments, inheritsEnvironment: true)
    }
}
