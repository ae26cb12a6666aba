internal import Synchronization
package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// One update of every member of a network from one batch: each member by a step of its own, with its own randomness.
///
/// Nothing is summed or shared between members but the batch, so a member is trained by one worker while others train
/// others; only where there are fewer members than workers has each several. Members meet after every batch, or go through a
/// few batches before they meet, so that no worker waits for another after each. A member's weights depend neither on that
/// nor on the other members.
///
/// Several ranks share a network's members in the same way: each trains some of them on whole batches. One network alone is
/// trained by all ranks together, each on its shards.
@safe package final class EnsembleStep<S: Scalar> {
    package let network: Network
    private let members: Members<S>
    private let ranks: Ranks
    /// The weights of all members, collected from the ranks that train them; nil once a step has changed them.
    private var known: [LayerParameters]?
    /// Batches that were added and wait for their run.
    private var batchCount = 0
    /// What the batches of the last run came to.
    private var results: [StepResult] = []
    /// How many batches members go through at most before they meet.
    package let mostBatches: Int
    /// The workers that train members; what they are handed is how many batches there are to go through.
    private let crew: Crew<Int>?

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
        let crewSize = min(workers.count, own.count)
        let steps = own.map { member in
            // Fewer members than workers have several each.
            let turn = member - own.lowerBound
            let hands = max(1, (turn + 1) * workers.count / own.count - turn * workers.count / own.count)
            return unsafe TrainingStep<S>(
                network: network.member(member), loss: loss, optimizer: settings[member].optimizer,
                parameterization: parameterization, batchSize: batchSize, shards: shards, accumulate: accumulate,
                seed: settings[member].seed, workers: Workers(count: hands), ranks: dealt ? .alone : ranks)
        }
        // One network has nobody to wait for.
        mostBatches = network.members > 1 ? 8 : 1
        let members = Members(
            steps, first: own.lowerBound, workers: crewSize, folds: folds, batchSize: batchSize,
            outputs: network.outputs, mostBatches: mostBatches)
        self.members = members
        crew =
            crewSize > 1
            ? Crew(Workers(count: crewSize)) { batches, worker, _ in members.run(batches, as: worker) } : nil
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

    /// Adds a batch to those that members go through before they meet; `updates` is the number of updates before it, and
    /// `pace` gives each member's rate and what its weight decay is multiplied by. The weights change after it when
    /// `endsGroup` is true.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func add(
        _ batch: Batch<S>, step updates: Int, endsGroup: Bool = true,
        pace: (_ member: Int) -> (rate: Double, decay: Double)
    ) {
        precondition(batchCount < mostBatches, "members meet before they go on")
        unsafe members.bind(batch, updates: updates, endsGroup: endsGroup, at: batchCount, pace: pace)
        batchCount += 1
    }

    /// Trains all members on the batches that were added, and gives the members' sums of each together: where one of them is
    /// not finite, so are these.
    ///
    /// A member whose sums of a batch are not finite does not go on to the next: its weights are those from before that
    /// batch. Other members may have gone on, and what later batches came to says nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func run() -> [StepResult] {
        known = nil
        members.begin()
        if let crew { crew.run(batchCount, tasks: crew.count) } else { members.run(batchCount, as: 0) }
        // In place, where the caller has let go of the last ones: the step allocates nothing.
        results.removeAll(keepingCapacity: true)
        if isDealt {
            results += sumsOfAllRanks()
        } else {
            for index in 0..<batchCount { results.append(members.total(of: index)) }
        }
        batchCount = 0
        return results
    }

    /// Trains all members on one batch.
    @discardableResult
    package func run(
        _ batch: Batch<S>, step updates: Int, pace: (_ member: Int) -> (rate: Double, decay: Double),
        endsGroup: Bool = true
    ) -> StepResult {
        unsafe add(batch, step: updates, endsGroup: endsGroup, pace: pace)
        return run()[0]
    }

    /// A batch of the last run, while its memory is valid.
    package func batch(_ index: Int) -> Batch<S> { unsafe members.batch(index) }

    /// By batch, the sums of all members in their order, as one process adds them; the ranks' wishes travel with them.
    private func sumsOfAllRanks() -> [StepResult] {
        let batches = batchCount
        let counts = (0..<ranks.count).map { ranks.part(of: network.members, at: $0).count }
        let most = counts.max() ?? 0
        let own = (0..<batches).flatMap { members.results(of: $0).numbers(padded: most) }
        let all = ranks.hear(ranks.tell(own))
        return (0..<batches).map { batch in
            zip(all, counts).flatMap { numbers, count in
                let length = numbers.count / batches
                return [StepResult](Array(numbers[batch * length..<(batch + 1) * length]), count: count)
            }.reduce(into: StepResult()) { $0 += $1 }
        }
    }
}

/// The members' steps and the batches at hand; each member is one thread's at a time.
@safe private final class Members<S: Scalar>: @unchecked Sendable {
    /// A batch, and the update that it is part of.
    @unsafe private struct Turn {
        var batch: Batch<S>
        /// How many updates there were before it.
        var updates: Int
        /// Whether the weights change after it.
        var endsGroup: Bool
    }

    let steps: [TrainingStep<S>]
    /// The number of the first of them among all members.
    let first: Int
    private let workers: Int
    /// Batches after which a worker turns to another of its members; all of them, where no worker has a member more.
    private let stretch: Int
    private let folds: Folds?
    private let parts: [BatchPart<S>]
    /// The fold of each row of the batches.
    private let rowFolds: AlignedMemory<Int>
    private let batchSize: Int

    /// What each place in the row of batches holds.
    private var turns: [Turn?]
    // Numbers of a batch and a member stand at batch · members + member.
    private var pace: [(rate: Double, decay: Double)]
    private let sums: AlignedMemory<StepResult>

    /// For each member the batch that it has come to, and whether a worker is at it.
    private let progress: Mutex<[(next: Int, isTaken: Bool)]>

    init(
        _ steps: [TrainingStep<S>], first: Int, workers: Int, folds: Folds?, batchSize: Int, outputs: Int,
        mostBatches: Int
    ) {
        self.steps = steps
        self.first = first
        self.workers = workers
        stretch = max(1, steps.count % workers == 0 ? mostBatches : mostBatches / 2)
        self.folds = folds
        self.batchSize = batchSize
        unsafe turns = unsafe [Turn?](repeating: nil, count: mostBatches)
        pace = Array(repeating: (0, 1), count: mostBatches * steps.count)
        parts = folds == nil ? [] : steps.map { _ in BatchPart(capacity: batchSize, outputs: outputs) }
        rowFolds = AlignedMemory(count: folds == nil ? 0 : mostBatches * batchSize)
        sums = AlignedMemory(count: mostBatches * steps.count)
        progress = Mutex(steps.map { _ in (0, false) })
    }

    /// Makes a batch the one at place `index` of those that come next.
    func bind(
        _ batch: Batch<S>, updates: Int, endsGroup: Bool, at index: Int, pace: (Int) -> (rate: Double, decay: Double)
    ) {
        // In place: the step allocates nothing.
        unsafe turns[index] = unsafe Turn(batch: batch, updates: updates, endsGroup: endsGroup)
        for member in steps.indices { self.pace[index * steps.count + member] = pace(first + member) }
        guard let folds else { return }
        guard let numbers = unsafe batch.numbers else { preconditionFailure("folds go by the rows' numbers") }
        for row in 0..<(unsafe batch.rows) {
            unsafe rowFolds.start[index * batchSize + row] = folds.fold(of: Int(numbers[row]))
        }
    }

    /// Before members are trained on the batches that were bound.
    func begin() {
        progress.withLock { progress in
            for member in progress.indices { progress[member] = (0, false) }
        }
    }

    /// Trains one member after the other, each on the next of its batches, until every member is through all of them or is
    /// being trained by another worker, who then goes on with it. All workers call this at the same time.
    func run(_ batches: Int, as worker: Int) {
        while let (member, batch) = take(worker, batches) {
            let result = train(member, on: batch)
            unsafe sums.start[batch * steps.count + member] = result
            leave(member, at: result.isFinite ? batch + 1 : batches)
        }
    }

    /// Gives the worker a member to train, and the batch that this member has come to; nil where none is free.
    ///
    /// A worker looks among its own members first, whose weights its caches may hold, and then among those of others. It
    /// stays with a member for a stretch of batches, since its caches hold those weights for certain, and then turns to the
    /// one that has the fewest stretches behind it, so that all workers are done at about the same time.
    private func take(_ worker: Int, _ batches: Int) -> (member: Int, batch: Int)? {
        progress.withLock { progress in
            var found: Int?
            for isOwn in [true, false] where found == nil {
                for member in progress.indices where (member * workers / steps.count == worker) == isOwn {
                    let (next, isTaken) = progress[member]
                    guard !isTaken, next < batches else { continue }
                    guard let best = found.map({ progress[$0].next }) else {
                        found = member
                        continue
                    }
                    if (next / stretch, best) < (best / stretch, next) { found = member }
                }
            }
            guard let found else { return nil }
            progress[found].isTaken = true
            return (found, progress[found].next)
        }
    }

    private func leave(_ member: Int, at next: Int) { progress.withLock { $0[member] = (next, false) } }

    private func turn(_ index: Int) -> Turn {
        guard let turn = unsafe turns[index] else { preconditionFailure("a batch is bound before members run") }
        return unsafe turn
    }

    func batch(_ index: Int) -> Batch<S> { unsafe turn(index).batch }

    private func train(_ member: Int, on index: Int) -> StepResult {
        let turn = unsafe turn(index)
        var own = unsafe turn.batch
        if let folds {
            let left = (first + member) % folds.count
            let part = parts[member]
            unsafe own = unsafe part.take(turn.batch) { place in
                unsafe rowFolds.start[index * batchSize + place] != left
            }
            // All of a small batch may be of one fold. The update takes place all the same: members keep in step.
            if unsafe own.rows == 0 { unsafe own = unsafe part.takeNothing(of: turn.batch) }
        }
        let (rate, decay) = pace[index * steps.count + member]
        return unsafe steps[member].run(
            own, step: turn.updates, rate: rate, decay: decay, endsGroup: turn.endsGroup)
    }

    /// What a batch gave, member by member, and in all.
    func results(of batch: Int) -> [StepResult] {
        steps.indices.map { unsafe sums.start[batch * steps.count + $0] }
    }

    func total(of batch: Int) -> StepResult {
        var total = StepResult()
        for member in steps.indices { total += unsafe sums.start[batch * steps.count + member] }
        return total
    }
}
