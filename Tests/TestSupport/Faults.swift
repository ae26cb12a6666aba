internal import Foundation

/// System calls of the program that go wrong: `Tests/Faults/faults.c`, which is loaded into it.
package enum Faults {
    package enum Which: String, Sendable { case changes, reads, bytes }

    package enum What: Sendable {
        case kill, terminate
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

    /// The environment that lets this happen at the call, or byte, of this number. `reached` is created when it does.
    package static func environment(_ which: Which, _ what: What, at number: Int, reached: String) -> [String: String] {
        let how =
            switch what {
            case .kill: "kill"
            case .terminate: "term"
            case .fails(let code): "\(code)"
            }
        return [
            "LD_PRELOAD": library ?? "", "FAULTS": "\(which.rawValue),\(how),\(number)", "FAULTS_REACHED": reached,
        ]
    }
}
