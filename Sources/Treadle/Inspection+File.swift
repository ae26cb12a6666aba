internal import TreadleBase
internal import TreadleRun
public import TreadleTools

extension Inspection {
    /// Looks at a checkpoint file: what it holds, statistics of every array, and what looks wrong.
    ///
    /// The file is read in this process: inspect only what your own runs have written.
    ///
    /// ```swift
    /// let inspection = try Inspection(contentsOf: "runs/churn/final.h5")
    /// for sign in inspection.signs { print("\(sign.severity): \(sign.finding); \(sign.meaning)") }
    /// ```
    public init(contentsOf path: String) throws(TreadleError) {
        self = try asTreadleError {
            try Inspection(CheckpointFile(path), workers: Workers(count: Cores.available))
        }
    }

    /// All of it as JSON text, as `treadle inspect --json` writes it.
    ///
    /// ```swift
    /// try inspection.jsonText.write(toFile: "inspection.json", atomically: true, encoding: .utf8)
    /// ```
    public var jsonText: String { json.text() }
}
