internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

extension TrainingRun {
    /// The batch gave a loss that is no number; the weights are those from before it.
    ///
    /// Stops the run, or returns to the last epoch's end with a smaller rate, as `stop.on_nan` says.
    func returnOrStop(_ batch: Batch<S>, rate: Double) throws {
        let first = cursor.batch * configuration.data.batchSize
        let last = min(first + configuration.data.batchSize, data.train.count)
        let origins = try ranks.isAlone ? [unsafe origin(in: batch)] : ranks.collect(unsafe origin(in: batch))
        // Of several ranks, one whose rows have it.
        let cause = origins.compactMap { $0 }.first ?? "every layer's outputs are finite, the loss of them is not"
        let found =
            "the loss is not finite at step \(cursor.step + 1) (epoch \(cursor.epoch + 1), rows \(first + 1) to "
            + "\(last) of its order, rate \(rate)): \(cause)"
        let policy = configuration.stop
        guard policy.onNaN == .rollback else {
            throw TreadleError(
                .diverged,
                "\(found); lower optimizer.lr, set optimizer.clip_norm, or set stop.on_nan to \"rollback\"; the "
                    + "checkpoints up to here are intact in \(directory)")
        }
        guard progress.rollbacks < policy.maxRollbacks else {
            throw TreadleError(
                .diverged,
                "\(found), after \(progress.rollbacks) returns to an earlier checkpoint (stop.max_rollbacks); lower "
                    + "optimizer.lr or set optimizer.clip_norm")
        }
        try rollBack(found)
    }

    /// Returns to the end of the last epoch, with the rate multiplied by `stop.rollback_factor`.
    ///
    /// Only ends of epochs are returned to: which other checkpoints there are depends on time.
    private func rollBack(_ reason: String) throws {
        let rollbacks = progress.rollbacks + 1
        var state = try store?.newest { $0.cursor.batch == 0 }?.checkpoint ?? beginning()
        for _ in state.progress.rollbacks..<rollbacks { state.progress.rateScale *= configuration.stop.rollbackFactor }
        state.progress.rollbacks = rollbacks
        try take(state)
        // What was written since then leads back here; what is written now says that it has happened.
        try store?.removeSteps(after: cursor.step)
        let snapshot = try snapshot()
        try store?.saveAndWait(snapshot)
        observer.note(
            .warning,
            "\(reason); returned to the end of epoch \(cursor.epoch) with the rate multiplied by "
                + "\(progress.rateScale) (return \(rollbacks) of \(configuration.stop.maxRollbacks))")
    }

    /// Where the first number that is not finite arises on the way through the network; nil where none does.
    private func origin(in batch: Batch<S>) -> String? {
        let parameters = step.parameters()
        return (0..<network.members).lazy.compactMap { [self] member in
            unsafe origin(
                in: batch, of: network.member(member), Array(parameters[network.layers(of: member)]))
        }.first
    }

    private func origin(in batch: Batch<S>, of network: Network, _ parameters: [LayerParameters]) -> String? {
        for (index, layer) in network.layers.enumerated() {
            if let place = [parameters[index]].firstNonFinite { return "the weight \(place) is the first such number" }
            // What the stem makes of finite numbers is finite.
            guard layer.kind == .dense else { continue }
            var part = network
            part.layers = Array(network.layers[...index])
            let forward = ForwardPass<S>(
                network: part, parameters: Array(parameters[...index]),
                loss: LossFunction(type: .mse, outputs: layer.units, link: .identity), maxRows: unsafe batch.rows,
                workers: workers)
            var inputs = unsafe batch
            unsafe inputs.targets = .absent
            let outputs = unsafe UnsafeBufferPointer(
                start: forward.run(inputs), count: batch.rows * layer.units)
            if let place = unsafe outputs.firstIndex(where: { !$0.isFinite }) {
                let owner = ranks.isAlone ? "them" : "those of \(ranks.name)"
                return
                    "layer \(layer.name) is the first to give such a number, for row \(place / layer.units + 1) of \(owner)"
            }
        }
        return nil
    }
}
