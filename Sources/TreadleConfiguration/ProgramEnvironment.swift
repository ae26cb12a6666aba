internal import Foundation
internal import TreadleBase

/// The variables that say how the program works, whatever it is asked to do.
package enum ProgramEnvironment {
    private static var variables: [String: String] { ProcessInfo.processInfo.environment }

    /// Throws where TREADLE_ISA names no instruction set: results would not change, but a measurement would.
    package static func check() throws {
        let known = Treadle.instructionSets
        guard let asked = variables["TREADLE_ISA"], !asked.isEmpty, !known.contains(asked) else { return }
        throw TreadleError(
            .configuration,
            "TREADLE_ISA is \"\(asked)\", but takes \(known.joined(separator: ", ")); set it to one of these, or unset it"
        )
    }

    /// What the environment sets `compute.threads` to, for commands without a configuration; nil where it does not.
    package static func threads() throws -> Automatic<Int>? {
        let own = variables.filter { EnvironmentName.path(of: $0.key) == ["compute", "threads"] }
        guard !own.isEmpty else { return nil }
        let smallest = "{ name: \"any\", data: { train: \"any.h5\" }, model: { hidden: [] } }"
        return try Configuration.parse(text: smallest, file: "any", baseDirectory: "/", environment: own)
            .compute.threads
    }
}
