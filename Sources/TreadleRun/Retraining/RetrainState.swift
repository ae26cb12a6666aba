internal import Foundation
internal import TreadleBase

/// What the last retraining in a run's directory was about, and how far it came: `retrain.json`.
///
/// It is written before and after every step that must not be done twice.
struct RetrainState: Equatable, Codable {
    enum Stage: String, Codable {
        /// A run is under way, and the checkpoints in the directory are its own: the next process continues from them.
        case training
        /// The model was promoted, and the hook is still to be run.
        case hook
        /// Promoted or not: nothing is left to do for this data and this configuration.
        case judged
    }

    var stage: Stage
    /// What the data and the configuration were.
    var fingerprint: String
    var meaning: String
    /// How many rows the data had, so that rows appended since are told from other data.
    var rows: Int
    /// The numerics contract that the run is computed by; files from before there was a number are of the first.
    var numerics: Int?
    var outcome: String?
    /// By column, how many values of a table's categories its columns did not know.
    var unknownValues: [String: Int]?
    var environment: [String: String]?

    init(stage: Stage, run: RunIdentity, rows: Int) {
        self.stage = stage
        fingerprint = run.data
        meaning = run.meaning
        numerics = run.numerics
        self.rows = rows
    }

    var run: RunIdentity { RunIdentity(data: fingerprint, meaning: meaning, numerics: numerics ?? 1) }

    /// Whether this run is under way, so that it can be gone on with.
    func isUnderWay(_ run: RunIdentity) -> Bool { stage == .training && self.run == run }

    private static func path(in directory: String) -> String { directory + "/retrain.json" }

    static func read(in directory: String) throws -> RetrainState? {
        // Damaged or from another version: as if there had been none, which costs a training.
        try FileSystem.contents(of: path(in: directory)).flatMap {
            try? JSONDecoder().decode(RetrainState.self, from: $0)
        }
    }

    func write(in directory: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try DurableFile.write(
            String(decoding: try encoder.encode(self), as: UTF8.self) + "\n", to: Self.path(in: directory))
    }
}
