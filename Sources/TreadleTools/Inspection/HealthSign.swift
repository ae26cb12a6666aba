internal import HDF5
internal import TreadleModel
internal import TreadleRun

/// Something about a model that looks wrong, in words, with what it usually means.
///
/// ```swift
/// if inspection.signs.contains(where: { $0.severity == .alarm }) { print("do not serve this model") }
/// ```
public struct HealthSign: Equatable, Sendable {
    /// How much a finding matters to whoever uses the model.
    ///
    /// ```swift
    /// let alarms = inspection.signs.filter { $0.severity == .alarm }
    /// ```
    public enum Severity: String, CaseIterable, Sendable {
        /// The model is broken.
        case alarm
        /// Something went wrong, and the model may be good all the same.
        case warning
        /// Nothing is wrong; worth knowing.
        case remark
    }

    /// How much it matters.
    public var severity: Severity
    /// What was seen and where: "layer dense: 41 of 256 units are dead".
    public var finding: String
    /// What it usually means, and what to do.
    public var meaning: String

    /// All signs of a checkpoint, the worst first.
    static func all(_ checkpoint: CheckpointHead, tensors: [InspectedTensor], layers: [LayerHealth]) -> [HealthSign] {
        var signs: [HealthSign] = []
        for tensor in tensors { signs += found(in: tensor) }
        for layer in layers { signs += found(in: layer, of: checkpoint) }
        signs += CurveSigns(checkpoint).all
        return Severity.allCases.flatMap { severity in signs.filter { $0.severity == severity } }
    }

    private static func found(in tensor: InspectedTensor) -> [HealthSign] {
        let statistics = tensor.statistics
        let name = tensor.name.printable
        var signs: [HealthSign] = []
        let broken = statistics.nan + statistics.infinite
        if broken > 0 {
            let kind = statistics.infinite == 0 ? "NaN" : statistics.nan == 0 ? "infinite" : "NaN or infinite"
            signs.append(
                HealthSign(
                    severity: .alarm,
                    finding: "\(name): \(broken) of \(statistics.count) numbers \(verb(broken)) \(kind)",
                    meaning: "training diverged; go back to an earlier checkpoint, lower optimizer.lr or set "
                        + "optimizer.clip_norm"))
        }
        guard tensor.isParameter, tensor.name.hasSuffix("/weight"), statistics.finite > 0 else { return signs }
        if statistics.zeros == statistics.count {
            signs.append(
                HealthSign(
                    severity: .alarm, finding: "\(name): every weight is zero",
                    meaning: "the layer passes nothing on; look at model.init, optimizer.l1 and optimizer.weight_decay")
            )
        }
        let largest = max(abs(statistics.minimum), abs(statistics.maximum))
        if largest > 100 {
            signs.append(
                HealthSign(
                    severity: .warning, finding: "\(name): weights reach \(Figure.short(largest))",
                    meaning: "they grow without bound: optimizer.lr is too high, or inputs of very unlike size are not "
                        + "normalized; lower it, set data.normalize or optimizer.weight_decay"))
        }
        return signs
    }

    private static func found(in layer: LayerHealth, of checkpoint: CheckpointHead) -> [HealthSign] {
        var signs: [HealthSign] = []
        func add(
            _ severity: Severity, _ found: [Int], of all: Int, _ noun: String, _ what: String, _ meaning: String,
            names: [String]? = nil
        ) {
            guard !found.isEmpty else { return }
            var finding = "layer \(layer.name.printable): \(found.count) of \(all) \(noun) \(verb(found.count)) \(what)"
            if let names, names.count == all {
                let shown = found.prefix(20).map { names[$0].printable }.joined(separator: ", ")
                finding += ": \(shown)" + (found.count > 20 ? " and \(found.count - 20) more" : "")
            }
            signs.append(HealthSign(severity: severity, finding: finding, meaning: meaning))
        }
        let mostly = layer.dead.count * 2 > layer.units
        add(
            mostly ? .alarm : .warning, layer.dead, of: layer.units, "units", "dead",
            "they give the same for every input and learn no more: optimizer.lr was too high, or the start was bad; "
                + "lower it, or use leaky_relu, elu or gelu")
        add(
            .warning, layer.saturated, of: layer.units, "units", "saturated",
            "they are at one end of the activation for nearly every input and hardly learn: weights too large or inputs "
                + "not normalized; lower optimizer.lr, set data.normalize or optimizer.weight_decay")
        add(
            .warning, layer.twins, of: layer.units, "units",
            layer.twins.count == 1 ? "a copy of another" : "copies of others",
            "equal units get equal gradients and never part: model.init \"zeros\" or a constant start; use \"auto\"")
        let place = checkpoint.network.layers.firstIndex { $0.name == layer.name }
        if let place, checkpoint.network.readsInputs(place), case let first = checkpoint.network.layers[place] {
            add(
                .remark, layer.idleInputs, of: first.inputs, "inputs", "never used",
                "no gradient reaches them: they are constant in the training data; leave them out, or mind that the "
                    + "model knows nothing of them", names: checkpoint.columns)
        }
        return signs
    }

    private static func verb(_ count: Int) -> String { count == 1 ? "is" : "are" }
}
