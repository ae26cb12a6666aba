internal import TreadleBase
internal import TreadleModel

/// What an exchange takes a batch's sums from.
protocol GradientSource<S>: AnyObject {
    associatedtype S: Scalar
    /// This process's shards, counted from its first one.
    var ownShards: Range<Int> { get }
    func rowSums(of shards: Range<Int>) -> StepResult
    func sumTiles(_ tiles: Range<Int>, of shards: Range<Int>, adds: Bool) -> PackedParameters<S>
}

/// How the whole gradient of a group of batches comes together: in one process, or between the ranks of a job.
protocol GradientExchange<S>: AnyObject {
    associatedtype S: Scalar

    /// The tiles that this process updates.
    var ownTiles: [Int] { get }
    /// Whether other processes update weights, which this one then takes over.
    var takesOthersWeights: Bool { get }

    /// Sums a batch over all its shards, added to the group's batches before it where there are any; returns the sums of
    /// losses and weights. Gradients may still be on their way.
    func sum(over source: some GradientSource<S>, adds: Bool) -> StepResult
    /// Between the batches of a group: waits for what is on its way.
    func keepSums(adds: Bool)
    /// Waits for what is on its way and puts the sums of the own tiles into `gradient`.
    func collectSums(into gradient: PackedParameters<S>?, adds: Bool)
    /// Fills in the other processes' values, one for each tile.
    func gather(_ values: UnsafeMutablePointer<Double>)
    /// Updates the own tiles by `apply`, collecting what was not collected, and takes over those of other processes.
    func update(
        _ parameters: PackedParameters<S>, from gradient: PackedParameters<S>, adds: Bool,
        apply: (_ tiles: Range<Int>) -> Void)

    /// Gives memory back that only other processes' tiles would need.
    func keepOwn(of values: PackedParameters<S>)
    /// Brings all processes' parts together in the first; false in the others.
    func bringToFirst(_ values: PackedParameters<S>) -> Bool
}

/// The exchange of one process: everything is here already.
final class SoleProcess<S: Scalar>: GradientExchange {
    private let tiles: Range<Int>

    init(tiles: Int) { self.tiles = 0..<tiles }

    var ownTiles: [Int] { Array(tiles) }
    var takesOthersWeights: Bool { false }

    func sum(over source: some GradientSource<S>, adds: Bool) -> StepResult {
        _ = source.sumTiles(tiles, of: source.ownShards, adds: adds)
        return source.rowSums(of: source.ownShards)
    }

    func keepSums(adds: Bool) {}
    func collectSums(into gradient: PackedParameters<S>?, adds: Bool) {}
    func gather(_ values: UnsafeMutablePointer<Double>) {}

    func update(
        _ parameters: PackedParameters<S>, from gradient: PackedParameters<S>, adds: Bool, apply: (Range<Int>) -> Void
    ) { apply(tiles) }

    func keepOwn(of values: PackedParameters<S>) {}
    func bringToFirst(_ values: PackedParameters<S>) -> Bool { true }
}
