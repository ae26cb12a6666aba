internal import Foundation
internal import Glibc

/// `treadle` on several ranks of this machine: the program built with the trait MPI that Scripts/test names in
/// TREADLE_MPI_PROGRAM, under `mpirun`.
package enum MPIJob {
    package static var program: String? {
        ProcessInfo.processInfo.environment["TREADLE_MPI_PROGRAM"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The launcher that belongs to the program's MPI: TREADLE_MPIRUN, or the system's own.
    package static let launcher = ProcessInfo.processInfo.environment["TREADLE_MPIRUN"] ?? "/usr/bin/mpirun"

    /// Whether there is such a program and a launcher: for `.enabled(if: MPIJob.isPossible)`.
    package static let isPossible = program != nil && access(launcher, X_OK) == 0

    /// The signal to stop that the launcher passes on, and then waits for the ranks: Open MPI's answers SIGTERM itself.
    package static let passedOn = launcher.hasSuffix("mpich") ? SIGTERM : SIGUSR2

    /// A rank's number, in a shell's words.
    package static let rankInShell = "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"

    /// Starts `ranks` ranks; there may be more of them than cores, and root may.
    package static func start(
        ranks: Int, _ arguments: [String], program: String? = MPIJob.program, directory: TemporaryDirectory
    ) throws -> Spawned {
        guard let program else { throw Missing() }
        let settings = [
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1",
            // Containers forbid what the other mechanism needs, and it says so at length.
            "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
        ]
        return try Spawned(
            launcher, ["-n", "\(ranks)", program] + arguments,
            environment: Program.plainEnvironment.merging(settings) { $1 }, directory: directory.path,
            // Threads of tests block signals, and mpirun passes on only those that reach it.
            unblocksSignals: true)
    }

    /// The process that computes as rank `rank` of a job in `directory`, once there is one.
    package static func process(rank: Int, in directory: TemporaryDirectory) -> Int32? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let ofRank = names.compactMap { Int32($0) }.filter { process in
            guard
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")) == directory.path,
                let bytes = FileManager.default.contents(atPath: "/proc/\(process)/environ")
            else { return false }
            let names = ["OMPI_COMM_WORLD_RANK", "PMI_RANK"].map { Data("\($0)=\(rank)".utf8) }
            return bytes.split(separator: 0).contains { names.contains(Data($0)) }
        }
        // A parent of the same rank only waits for the one that computes.
        return ofRank.first { ofRank.contains(parent(of: $0)) }
    }

    private static func parent(of process: Int32) -> Int32 {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        // After the program's name in parentheses: its state, then its parent.
        let words = text.split(separator: ")").last?.split(separator: " ") ?? []
        return words.count > 1 ? Int32(words[1]) ?? 0 : 0
    }

    /// TREADLE_MPI_PROGRAM is not set: run the tests with Scripts/test.
    package struct Missing: Error {}
}
