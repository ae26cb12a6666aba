internal import Foundation

/// System calls of the program that go wrong: `Tests/Faults/faults.c`, which is loaded into it.
package enum Faults {
    package enum Which: String, Sendable { case changes, reads, bytes }

    package enum What: Sendable {
        case kill, terminate, crash, hang
        case fails(Int32)
    }

    /// The library; nil where there is no C compiler.
    private static let library: String? = {
        guard let directory = try? TemporaryDirectory.shared() else { return nil }
        let path = directory.file("faults.so")
        let source = SourceTree.root + "/Tests/Faults/faults.c"
        let built = try? Program.shell("cc -O1 -shared -fPIC -o '\(path)' '\(source)'")
        return built?.code == 0 ? path : nil
    }()

    package static var isAvailable: Bool { library != nil }

    /// The environment that lets this happen at the call, or byte, of this number, on any file or on those of a name, and
    /// by anyone or by libraries of a name. `reached` is created when it does.
    package static func environment(
        _ which: Which, _ what: What, at number: Int, file: String? = nil, caller: String? = nil, reached: String
    ) -> [String: String] {
        let how =
            switch what {
            case .kill: "kill"
            case .terminate: "term"
            case .crash: "crash"
            case .hang: "hang"
            case .fails(let code): "\(code)"
            }
        var environment = [
            "LD_PRELOAD": library ?? "", "FAULTS": "\(which.rawValue),\(how),\(number)", "FAULTS_REACHED": reached,
        ]
        environment["FAULTS_FILE"] = file
        environment["FAULTS_CALLER"] = caller
        return environment
    }
}
