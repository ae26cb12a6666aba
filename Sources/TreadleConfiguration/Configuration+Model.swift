package import TreadleBase
package import TreadleModel

extension Network {
    /// The network that a configuration describes for data with `inputs` columns and `outputs` targets. `numbers` are the
    /// columns that an embedding is for; nil is all of them.
    package init(_ model: ModelConfiguration, inputs: Int, outputs: Int, numbers: [Int]? = nil) {
        var embedded: [Int] = []
        var layers: [Layer] = []
        var width = inputs
        func addToStem(_ name: String, _ kind: Layer.Kind, _ inputs: Int, _ units: Int, hasBias: Bool) {
            layers.append(
                Layer(
                    name: name, kind: kind, inputs: inputs, units: units, activation: .identity, dropout: 0,
                    hasBias: hasBias))
        }
        let columns = numbers ?? Array(0..<inputs)
        if let embedding = model.embedding, !columns.isEmpty {
            embedded = columns
            let functions: Layer.Kind = embedding.type == .periodic ? .waves : .ramps
            addToStem("embedding", functions, 1, embedding.functions * columns.count, hasBias: true)
            addToStem(
                "embedding_1", .combination, embedding.functions, embedding.outputs * columns.count, hasBias: true)
            width += embedding.outputs * columns.count
        }
        if model.scaleInputs { addToStem("input_scale", .factors, 1, width, hasBias: false) }
        let output = HiddenLayer(units: outputs, activation: .identity, dropout: 0)
        for (index, layer) in (model.hidden + [output]).enumerated() {
            layers.append(
                Layer(
                    name: index == 0 ? "dense" : "dense_\(index)", inputs: width, units: layer.units,
                    activation: layer.activation, dropout: layer.dropout, hasBias: model.bias))
            width = layer.units
        }
        self.init(inputs: inputs, layers: layers, embedded: embedded, precision: model.precision)
    }
}

extension LossFunction {
    /// The loss that a configuration asks for, for data with `outputs` classes, labels or target columns.
    ///
    /// Throws where the configuration does not fit the data. `classCounts`, the training rows of each
    /// class, is needed for balanced class weights alone.
    package init(
        _ configuration: LossConfiguration, task: LearningTask, outputs: Int, classCounts: [Int]? = nil
    ) throws(TreadleError) {
        let type = configuration.type(for: task)
        guard let link = type.traits.link(for: task) else {
            throw TreadleError(.configuration, LossConfiguration.misfit(type, task))
        }
        guard task != .classification || outputs >= 2 else {
            throw TreadleError(
                .badData,
                "the targets hold \(outputs) class; classification needs two or more; check data.y and data.rows")
        }
        self.init(
            type: type, outputs: outputs, link: link, labelSmoothing: configuration.labelSmoothing,
            delta: configuration.delta, quantile: configuration.quantile)
        classWeights = try LossFunction.classWeights(
            configuration.classWeight, classes: outputs, counts: classCounts)
    }

    /// The weights as numbers; a class that is absent from the training rows weighs 1.
    private static func classWeights(
        _ setting: ClassWeight?, classes: Int, counts: [Int]?
    ) throws(TreadleError) -> [Double]? {
        switch setting {
        case nil:
            return nil
        case .values(let weights):
            guard weights.count == classes else {
                throw TreadleError(
                    .configuration,
                    "loss.class_weight has \(weights.count) values, but the data has \(classes) classes; give one each")
            }
            return weights
        case .balanced:
            guard let counts else { return nil }
            precondition(counts.count == classes, "every class must be counted")
            let rows = counts.reduce(0, +)
            return counts.map { $0 > 0 ? Double(rows) / (Double(classes) * Double($0)) : 1 }
        }
    }
}
