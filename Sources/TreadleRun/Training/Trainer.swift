package import TreadleBase
package import TreadleConfiguration
package import TreadleData
internal import TreadleModel

/// The program around a run: it may interrupt training, vouches for files, and makes the page about what came of it.
package struct RunHost: Sendable {
    /// Ends this process's part of the run with a checkpoint, from which the next one continues.
    package var stop = Stop()
    /// Whether somebody wants a checkpoint now, asked after every update; asking clears the request.
    package var takeCheckpointRequest: @Sendable () -> Bool = { false }
    /// Asked about each checkpoint before it is continued from; throws for one that cannot be read safely.
    package var examine: @Sendable (_ path: String) throws -> Void = { _ in }
    /// Makes the page that is kept as `report.html` beside the final checkpoint; nil keeps none.
    package var page: (@Sendable (FinishedRun) throws -> String)?

    package init() {}
}

/// Trains a run: from its configuration to `final.h5`, from wherever an earlier process left off.
package enum Trainer {
    /// What a caller asks beyond the configuration.
    package struct Options: Sendable {
        package var host = RunHost()
        /// Starts over, whatever the run's directory holds.
        package var fresh = false
        /// Starts over where the run's directory holds what cannot be continued, which is an error otherwise.
        var replacesForeign = false
        /// Called once a run that begins has an empty directory: before this, what lies there is an earlier run's.
        var begins: @Sendable () throws -> Void = {}
        /// Continues although the data is not what the checkpoint was trained on.
        package var acceptsChangedData = false
        /// Continues although the checkpoint was computed by another numerics contract.
        package var acceptsChangedNumerics = false
        /// The model to start from instead of random weights; a checkpoint to continue from beats it.
        var warmStart: WarmStart?
        /// What the columns of tables are, where that is known already.
        var columns: KnownColumns?
        /// The right to the run's directory, where the caller has it already.
        var lock: DirectoryLock?
        /// Ends the run here, as if it had come to its end: how a checkpoint is reproduced.
        package var until: Cursor?
        /// What the data must be, for a checkpoint to be reproduced on them.
        package var expectedFingerprint: String?
        /// Sees the weights after every update: how a stretch of steps is compared with itself.
        var trace: (@Sendable (_ step: Int, _ parameters: [LayerParameters]) -> Void)?
        /// Sees the weights of audited updates the second time, before they are compared: how tests plant a fault.
        var disturb: (@Sendable (_ step: Int, _ parameters: inout [LayerParameters]) -> Void)?
        /// The processes that share the run.
        package var ranks = Ranks.alone

        package init() {}
    }

    package static func run(
        _ configuration: Configuration, options: Options = Options(), observer: any TrainingObserver
    ) throws -> RunSummary {
        switch configuration.model.precision.number {
        case .float32: try TrainingRun<Float>(configuration, options: options, observer: observer).train()
        case .float64: try TrainingRun<Double>(configuration, options: options, observer: observer).train()
        }
    }
}
