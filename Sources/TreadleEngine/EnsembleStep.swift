internal import CKernels
package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// One update of every member of a network from one batch: each member by a step of its own, with its own randomness.
///
/// Nothing is summed or shared between members but the batch, so a member is trained by one worker while others train
/// others; only those that are left over when members are dealt out have several workers each. A member's weights do not
/// depend on that, nor on the other members.
///
/// Several ranks share a network's members in the same way: each trains some of them on whole batches. One network alone is
/// trained by all ranks together, each on its shards.
@safe package final class EnsembleStep<S: Scalar> {
    package let network: Network
    private let members: Members<S>
    private let ranks: Ranks
    /// The weights of all members, collected from the ranks that train them; nil once a step has changed them.
    private var known: [LayerParameters]?
    private let crew: Crew<Int>?
    /// The first `alone` members are trained by one worker each. The remaining ones follow, and share all workers.
    private let alone: Int

    /// What is each member's own.
    package struct Settings: Sendable {
        package var seed: UInt64
        package var optimizer: OptimizerConfiguration

        package init(seed: UInt64, optimizer: OptimizerConfiguration) {
            self.seed = seed
            self.optimizer = optimizer
        }
    }

    /// A step for batches of up to `batchSize` rows; `accumulate` batches make an update. With `folds`, member m does not
    /// learn from the rows of fold m, counted around.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package init(
        network: Network, loss: LossFunction, settings: [Settings], parameterization: Parameterization = .standard,
        folds: Folds? = nil, batchSize: Int, shards: Shards, accumulate: Int = 1, workers: Workers,
        ranks: Ranks = .alone
    ) {
        precondition(settings.count == network.members, "each member has settings of its own")
        self.network = network
        self.ranks = ranks
        let dealt = network.members > 1 && !ranks.isAlone
        let own = dealt ? ranks.part(of: network.members) : 0..<network.members
        let count = own.count
        let alone = count / workers.count * workers.count
        self.alone = alone
        let rest = count - alone
        let steps = own.map { member in
            // The last round's members share all workers.
            let turn = member - own.lowerBound - alone
            let hands = turn < 0 ? 1 : (turn + 1) * workers.count / rest - turn * workers.count / rest
            return unsafe TrainingStep<S>(
                network: network.member(member), loss: loss, optimizer: settings[member].optimizer,
                parameterization: parameterization, batchSize: batchSize, shards: shards, accumulate: accumulate,
                seed: settings[member].seed, workers: Workers(count: hands), ranks: dealt ? .alone : ranks)
        }
        let members = Members(
            steps, first: own.lowerBound, folds: folds, batchSize: batchSize, outputs: network.outputs)
        self.members = members
        crew = count > 1 && workers.count > 1 ? Crew(workers) { first, task, _ in members.run(first + task) } : nil
    }

    /// The step of a run, as its configuration says: whatever trains, times or compares steps makes them here.
    package convenience init(
        _ configuration: Configuration, network: Network, loss: LossFunction, folds: Folds? = nil, shards: Shards,
        workers: Workers, ranks: Ranks = .alone
    ) {
        self.init(
            network: network, loss: loss,
            settings: configuration.members.map { Settings(seed: $0.seed, optimizer: $0.optimizer) },
            parameterization: configuration.model.parameterization, folds: folds,
            batchSize: configuration.data.batchSize, shards: shards, accumulate: configuration.compute.accumulate,
            workers: workers, ranks: ranks)
    }

    /// The first member's step, for those who measure its phases.
    package var first: TrainingStep<S> { members.steps[0] }

    /// The rows of every batch that this process computes.
    package var shards: Shards { members.steps[0].shards }

    // MARK: state

    /// Whether other ranks train some of the members.
    private var isDealt: Bool { members.steps.count < network.members }

    /// Which of the members this process trains.
    package var ownMembers: Range<Int> { members.first..<members.first + members.steps.count }

    /// Starts from these weights and what the optimizer remembers of earlier updates.
    package func load(_ parameters: [LayerParameters], optimizer state: OptimizerState) {
        for (member, step) in zip(ownMembers, members.steps) {
            let own = network.layers(of: member)
            var memory = state
            for slot in memory.slots.indices { memory.slots[slot].layers = Array(state.slots[slot].layers[own]) }
            step.load(Array(parameters[own]), optimizer: memory)
        }
        known = isDealt ? parameters : nil
    }

    /// The weights as they are, member after member. The first time after a step every rank must ask.
    package func parameters() -> [LayerParameters] {
        guard isDealt else { return members.steps.flatMap { $0.parameters() } }
        if let known { return known }
        let all = collected { $0.parameters() }
        known = all
        return all
    }

    /// What the optimizer remembers. Every rank must ask; the first is told.
    package func optimizerState() -> OptimizerState {
        let own = members.steps.map { $0.optimizerState() }
        var state = own[0]
        for slot in state.slots.indices {
            state.slots[slot].layers =
                isDealt
                ? collected { $0.optimizerState().slots[slot].layers } : own.flatMap { $0.slots[slot].layers }
        }
        return state
    }

    /// What each member has, from the ranks that train them.
    private func collected(_ values: (TrainingStep<S>) -> [LayerParameters]) -> [LayerParameters] {
        (0..<network.members).flatMap { number in
            let member = network.member(number)
            // Of another rank's member there is no more than the shapes here.
            var layers =
                ownMembers.contains(number)
                ? values(members.steps[number - members.first])
                : PackedParameters<S>(PackedLayout(member, of: S.self)).unload(names: member.layers.map(\.name))
            let owner = (0..<ranks.count).first { ranks.part(of: network.members, at: $0).contains(number) } ?? 0
            ranks.broadcast(&layers, from: owner)
            return layers
        }
    }

    /// How many numbers the optimizer remembers for each weight.
    package var slotCount: Int { members.steps[0].slotCount }

    // MARK: the step

    /// Trains all members on one batch; `updates` is the number of updates before it, and `pace` gives each member's rate and
    /// what its weight decay is multiplied by. The weights change when `endsGroup` is true.
    ///
    /// Gives the members' sums together: where one of them is not finite, so are these.
    @discardableResult
    package func run(
        _ batch: Batch<S>, step updates: Int, pace: (_ member: Int) -> (rate: Double, decay: Double),
        endsGroup: Bool = true
    ) -> StepResult {
        unsafe members.bind(batch, updates: updates, pace: pace, endsGroup: endsGroup)
        let count = members.steps.count
        if let crew {
            crew.run(0, tasks: alone)
            crew.run(alone, tasks: count - alone)
        } else {
            for member in 0..<count { members.run(member) }
        }
        guard isDealt else { return members.total }
        known = nil
        return sumsOfAllRanks()
    }

    /// The sums of all members in their order, as one process adds them; the ranks' wishes travel with them.
    private func sumsOfAllRanks() -> StepResult {
        let most = (0..<ranks.count).map { ranks.part(of: network.members, at: $0).count }
        let all = ranks.hear(ranks.tell(members.results.numbers(padded: most.max() ?? 0)))
        return zip(all, most).flatMap { [StepResult]($0, count: $1) }.reduce(into: StepResult()) { $0 += $1 }
    }
}

/// The members' steps and the batch at hand; each member is one thread's at a time.
@safe private final class Members<S: Scalar>: @unchecked Sendable {
    let steps: [TrainingStep<S>]
    /// The number of the first of them among all members.
    let first: Int
    private let folds: Folds?
    private let parts: [BatchPart<S>]
    /// The fold of each row of the batch.
    private let rowFolds: AlignedMemory<Int>
    private let sums: AlignedMemory<StepResult>

    private var batch: Batch<S>?
    private var updates = 0
    private var pace: [(rate: Double, decay: Double)]
    private var endsGroup = true

    init(_ steps: [TrainingStep<S>], first: Int, folds: Folds?, batchSize: Int, outputs: Int) {
        self.steps = steps
        self.first = first
        self.folds = folds
        pace = steps.map { _ in (0, 1) }
        parts = folds == nil ? [] : steps.map { _ in BatchPart(capacity: batchSize, outputs: outputs) }
        rowFolds = AlignedMemory(count: folds == nil ? 0 : batchSize)
        sums = AlignedMemory(count: steps.count)
    }

    func bind(_ batch: Batch<S>, updates: Int, pace: (Int) -> (rate: Double, decay: Double), endsGroup: Bool) {
        unsafe self.batch = batch
        self.updates = updates
        // In place: the step allocates nothing.
        for member in steps.indices { self.pace[member] = pace(first + member) }
        self.endsGroup = endsGroup
        guard let folds else { return }
        guard let numbers = unsafe batch.numbers else { preconditionFailure("folds go by the rows' numbers") }
        for row in 0..<(unsafe batch.rows) { unsafe rowFolds.start[row] = folds.fold(of: Int(numbers[row])) }
    }

    func run(_ member: Int) {
        guard let batch = unsafe batch else { preconditionFailure("a batch is bound before members run") }
        var own = unsafe batch
        if let folds {
            let left = (first + member) % folds.count
            let part = parts[member]
            unsafe own = unsafe part.take(batch) { place in unsafe rowFolds.start[place] != left }
            // All of a small batch may be of one fold. The update takes place all the same: members keep in step.
            if unsafe own.rows == 0 { unsafe own = unsafe part.takeNothing(of: batch) }
        }
        unsafe sums.start[member] = unsafe steps[member].run(
            own, step: updates, rate: pace[member].rate, decay: pace[member].decay, endsGroup: endsGroup)
    }

    /// What the batch gave, member by member, and in all.
    var results: [StepResult] { steps.indices.map { unsafe sums.start[$0] } }

    var total: StepResult {
        var total = StepResult()
        for member in steps.indices { total += unsafe sums.start[member] }
        return total
    }
}
