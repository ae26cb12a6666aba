internal import CKernels
package import TreadleBase
package import TreadleData
package import TreadleModel

/// The answers of all of a network's members for batches of rows, and their mean: for evaluation and prediction.
///
/// What is averaged are predictions, after the loss's link: probabilities of classes, or values. The losses of rows are
/// those of the mean, and of what is left of it within the bounds that a model may have.
@safe package final class EnsemblePass<S: Scalar> {
    package let network: Network
    private let members: [ForwardPass<S>]
    /// What each prediction stays within; empty where nothing limits them.
    private let bounds: [(low: Double, high: Double)]
    // Used where predictions are not simply those of one member.
    private let loss: LossFunction
    private let mean: AlignedMemory<S>
    private let sums: AlignedMemory<Double>
    private let squares: AlignedMemory<Double>
    private let rowFolds: AlignedMemory<Int>
    private let part: BatchPart<S>?
    private let conclusion: StepPlan<S>?

    /// A pass for batches of up to `maxRows` rows.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package convenience init(
        network: Network, parameters: [LayerParameters], loss: LossFunction, bounds: [(low: Double, high: Double)] = [],
        maxRows: Int, workers: Workers
    ) {
        let members = (0..<network.members).map { member in
            ForwardPass<S>(
                network: network.member(member), parameters: Array(parameters[network.layers(of: member)]), loss: loss,
                maxRows: maxRows, workers: workers)
        }
        self.init(network, members, loss: loss, bounds: bounds, maxRows: maxRows)
    }

    /// A pass by the weights of `other`, which it shares, on one thread: what several threads do at once needs one each.
    package convenience init(beside other: EnsemblePass, maxRows: Int) {
        self.init(
            other.network, other.members.map { ForwardPass(beside: $0, maxRows: maxRows) }, loss: other.loss,
            bounds: other.bounds, maxRows: maxRows)
    }

    private init(
        _ network: Network, _ members: [ForwardPass<S>], loss: LossFunction, bounds: [(low: Double, high: Double)],
        maxRows: Int
    ) {
        self.network = network
        self.members = members
        self.loss = loss
        self.bounds = bounds
        let isOne = network.members == 1
        let isPlain = isOne && bounds.isEmpty
        let numbers = maxRows * network.outputs
        mean = AlignedMemory(count: isPlain ? 0 : numbers)
        sums = AlignedMemory(count: isOne ? 0 : numbers)
        squares = AlignedMemory(count: isOne ? 0 : numbers)
        rowFolds = AlignedMemory(count: isOne ? 0 : maxRows)
        part = isOne ? nil : BatchPart(capacity: maxRows, outputs: network.outputs)
        conclusion = isPlain ? nil : Self.conclusion(network, loss, maxRows)
    }

    /// A plan whose outputs are written from outside: all that is asked of it are losses.
    private static func conclusion(_ network: Network, _ loss: LossFunction, _ rows: Int) -> StepPlan<S> {
        let layer = Layer(
            name: "mean", inputs: 1, units: network.outputs, activation: .identity, dropout: 0, hasBias: false)
        let plain = Network(inputs: 1, layers: [layer], precision: S.number.precision)
        return StepPlan(
            network: plain, loss: loss, parameters: PackedParameters(PackedLayout(plain, of: S.self)), capacity: rows,
            shards: 1, trains: false)
    }

    /// The mean of all members for a batch's rows: B×D, row-major, valid until the next run.
    package func run(_ batch: Batch<S>) -> UnsafePointer<S> {
        let count = unsafe batch.rows * network.outputs
        guard members.count > 1 else {
            let predictions = unsafe members[0].run(batch)
            guard conclusion != nil else { return unsafe predictions }
            rows = unsafe batch.rows
            for place in 0..<count { unsafe mean.start[place] = bounded(Double(predictions[place]), at: place) }
            unsafe conclude(batch)
            return unsafe UnsafePointer(mean.start)
        }
        clear(rows: unsafe batch.rows)
        for member in members {
            let predictions = unsafe member.run(batch)
            for place in 0..<count { add(unsafe Double(predictions[place]), at: place) }
        }
        for place in 0..<count {
            unsafe mean.start[place] = bounded(sums.start[place] / Double(members.count), at: place)
        }
        unsafe conclude(batch)
        return unsafe UnsafePointer(mean.start)
    }

    /// For each row the mean of those members that have not learnt from it: B×D, row-major, valid until the next run.
    ///
    /// `visit` gets each member with its own rows of the batch, where it has any, and its answers.
    package func run(
        _ batch: Batch<S>, outOf folds: Folds,
        visit: (_ member: Int, _ part: Batch<S>, _ predictions: UnsafePointer<S>, _ sums: StepResult) -> Void
    ) -> UnsafePointer<S> {
        guard let part, let numbers = unsafe batch.numbers else {
            preconditionFailure("folds are of several members, and go by the rows' numbers")
        }
        let (rows, width) = unsafe (batch.rows, network.outputs)
        clear(rows: rows)
        for row in 0..<rows { unsafe rowFolds.start[row] = folds.fold(of: Int(numbers[row])) }
        for (index, member) in members.enumerated() {
            let own = unsafe part.take(batch) { unsafe rowFolds.start[$0] == index % folds.count }
            guard unsafe own.rows > 0 else { continue }
            let predictions = unsafe member.run(own)
            for row in 0..<(unsafe own.rows) {
                for column in 0..<width {
                    let place = unsafe part.places.start[row] * width + column
                    add(unsafe Double(predictions[row * width + column]), at: place)
                }
            }
            unsafe visit(index, own, predictions, member.sums)
        }
        let each = Double(members.count / folds.count)
        for place in 0..<rows * width { unsafe mean.start[place] = bounded(sums.start[place] / each, at: place) }
        unsafe conclude(batch)
        return unsafe UnsafePointer(mean.start)
    }

    private func bounded(_ prediction: Double, at place: Int) -> S {
        guard !bounds.isEmpty else { return S(prediction) }
        let (low, high) = bounds[place % network.outputs]
        // What is no number stays none.
        return S(prediction < low ? low : prediction > high ? high : prediction)
    }

    /// After a run of several members: their standard deviation about the mean, as NumPy's `std`, for prediction `place`.
    package func spread(_ place: Int) -> Double {
        let count = Double(members.count)
        let mean = unsafe sums.start[place] / count
        return unsafe max(0, squares.start[place] / count - mean * mean).squareRoot()
    }

    /// After a run on rows with targets: the sums of losses and weights, by a fixed tree.
    package var rowSums: StepResult { conclusion?.rowSums(of: rows) ?? members[0].sums }

    /// After a run on rows with targets: each row's loss times its weight, and that weight.
    package var rowLosses: UnsafePointer<Double> {
        guard let conclusion else { return unsafe members[0].rowLosses }
        return unsafe UnsafePointer(conclusion.plan.pointee.row_losses)
    }
    package var rowWeights: UnsafePointer<Double> {
        guard let conclusion else { return unsafe members[0].rowWeights }
        return unsafe UnsafePointer(conclusion.plan.pointee.row_weights)
    }

    private var rows = 0

    private func clear(rows: Int) {
        self.rows = rows
        for place in 0..<rows * network.outputs {
            unsafe sums.start[place] = 0
            unsafe squares.start[place] = 0
        }
    }

    private func add(_ value: Double, at place: Int) {
        unsafe sums.start[place] += value
        unsafe squares.start[place] += value * value
    }

    /// Takes the means back through the link, to outputs that the loss knows what to do with.
    private func conclude(_ batch: Batch<S>) {
        guard let conclusion else { return }
        if case .absent = unsafe batch.targets { return }
        unsafe conclusion.bind(batch)
        let width = network.outputs
        var outputs = unsafe (0..<batch.rows * width).map { unsafe Double(mean.start[$0]) }
        loss.link.inverse(&outputs)
        let target = unsafe UnsafeMutablePointer(mutating: conclusion.output)
        for row in 0..<(unsafe batch.rows) {
            for column in 0..<width {
                unsafe target[row * conclusion.outputStride + column] = S(outputs[row * width + column])
            }
        }
        unsafe ck_conclude_rows(conclusion.plan, 0, batch.rows)
    }
}

extension LossFunction.Link {
    /// Outputs that give these predictions. Those that no output gives, such as a probability of 0, are taken for the
    /// nearest that one does.
    fileprivate func inverse(_ predictions: inout [Double]) {
        let least = 0x1p-100
        switch self {
        case .identity: break
        case .softmax, .exp:
            for index in predictions.indices { predictions[index] = max(predictions[index], least) }
            ElementaryFunction.log.apply(to: &predictions)
        case .sigmoid:
            for index in predictions.indices {
                let yes = min(max(predictions[index], least), 1 - 0x1p-53)
                predictions[index] = yes / (1 - yes)
            }
            ElementaryFunction.log.apply(to: &predictions)
        }
    }
}
