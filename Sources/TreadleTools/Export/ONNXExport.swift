internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// A model as ONNX: normalization, layers, link and the way back to the target's units, in 32 bits.
///
/// Input `x`, N×F, in the data's own units. Outputs: `probabilities` N×K and `class` N for classification,
/// `probabilities` and `label` N×K for multilabel, `value` N×K for regression.
struct ONNXExport {
    private let model: TrainedModel
    private let roundsWeights: Bool
    private var saved: SavedModel { model.saved }
    private var graph = ONNXGraph()

    /// With `roundsWeights`, those of dense layers are bfloat16, and widened where they are used.
    init(_ model: TrainedModel, roundsWeights: Bool) {
        self.model = model
        self.roundsWeights = roundsWeights
    }

    mutating func bytes(name: String) throws -> [UInt8] {
        let size = saved.network.parameterCount.multipliedReportingOverflow(by: 4)
        guard !size.overflow, size.partialValue < 2_000_000_000 else {
            throw TreadleError(
                .badData, "ONNX files end at 2 GB, and this model is larger; export it as .safetensors or .npz")
        }
        let inputs = normalized("x")
        let temperature = saved.temperature.map {
            graph.constant("calibration.temperature", [Float($0)], shape: [1])
        }
        let members = (0..<saved.network.members).map { member in
            var value = inputs
            for index in saved.network.layers(of: member) {
                let (layer, parameters) = (saved.network.layers[index], saved.parameters[index])
                switch layer.kind {
                case .dense: value = dense(value, layer, parameters)
                case .waves, .ramps: functions = self.functions(of: value, layer, parameters)
                case .combination:
                    value = graph.node("Concat", [value, combination(layer, parameters)], integers: [("axis", 1)])
                case .factors: value = graph.node("Mul", [value, constant("\(layer.name).weight", parameters.weight)])
                }
            }
            guard let temperature else { return value }
            return graph.node("Div", [value, temperature])
        }
        answer(members)
        return graph.model(
            input: "x", width: saved.network.inputs, name: name,
            metadata: ExportDescription(model, roundsWeights: roundsWeights).members)
    }

    /// What stands in the place of a clip and of a target's factor, by which the others divide: their inverses.
    static let inverseClip = "normalization.inverse_clip"
    static let inverseTargetFactor = "normalization.inverse_target_factor"

    /// The inverse of each, in 32 bits; 0 where there is none.
    static func inverses(_ values: [Double]) -> [Float] { values.map { Float($0 == 0 ? 0 : 1 / $0) } }

    private mutating func normalized(_ input: String) -> String {
        let normalization = saved.normalization
        var value = input
        let width = saved.network.inputs
        if !normalization.imputation.isEmpty {
            let missing = graph.node("IsNaN", [value])
            let infinite = graph.node("IsInf", [value])
            let either = graph.node("Or", [missing, infinite])
            let fill = graph.constant(
                "normalization.imputation", normalization.imputation.map { Float($0) }, shape: [width])
            value = graph.node("Where", [either, fill, value])
        }
        if !normalization.shift.isEmpty {
            let shift = graph.constant("normalization.shift", normalization.shift.map { Float($0) }, shape: [width])
            value = graph.node("Sub", [value, shift])
        }
        if !normalization.factor.isEmpty {
            let factor = graph.constant("normalization.factor", normalization.factor.map { Float($0) }, shape: [width])
            value = graph.node("Mul", [value, factor])
        }
        if !normalization.clip.isEmpty {
            let inverse = graph.constant(
                ONNXExport.inverseClip, ONNXExport.inverses(normalization.clip), shape: [width])
            let share = graph.node("Mul", [value, inverse])
            let square = graph.node("Add", [graph.node("Mul", [share, share]), scalar(1)])
            value = graph.node("Div", [value, graph.node("Sqrt", [square])])
        }
        return value
    }

    private mutating func dense(_ input: String, _ layer: Layer, _ parameters: LayerParameters) -> String {
        var weight: String
        if roundsWeights {
            // Few products take bfloat16 on CPUs; every runtime widens it, once, where it keeps constants.
            weight = graph.constant(
                "\(layer.name).weight", bfloat16: parameters.weight.bfloat16Bits, shape: parameters.weight.shape)
            weight = graph.node("Cast", [weight], integers: [("to", ONNXGraph.Element.float.rawValue)])
        } else {
            weight = constant("\(layer.name).weight", parameters.weight)
        }
        var operands = [input, weight]
        if let bias = parameters.bias {
            operands.append(graph.constant("\(layer.name).bias", bias.floats, shape: bias.shape))
        }
        return activated(graph.node("Gemm", operands), layer.activation)
    }

    /// The waves or ramps of the embedded columns: N×K×G.
    private var functions = ""

    private mutating func functions(of input: String, _ layer: Layer, _ parameters: LayerParameters) -> String {
        let columns = saved.network.embedded
        let count = layer.units / columns.count
        let repeated = graph.constant("\(layer.name).columns", (0..<count).flatMap { _ in columns })
        var places = graph.node("Gather", [input, repeated], integers: [("axis", 1)])
        places = graph.node("Mul", [places, constant("\(layer.name).weight", parameters.weight)])
        if let bias = parameters.bias { places = graph.node("Add", [places, constant("\(layer.name).bias", bias)]) }
        let values =
            layer.kind == .ramps
            ? graph.node("Clip", [places, scalar(0), scalar(1)])
            : graph.node("Cos", [graph.node("Mul", [places, scalar(2 * .pi)])])
        let shape = graph.constant("\(layer.name).shape", [-1, count, columns.count])
        return graph.node("Reshape", [values, shape])
    }

    /// Each column's waves or ramps added up to its outputs: N×O·G.
    private mutating func combination(_ layer: Layer, _ parameters: LayerParameters) -> String {
        let columns = saved.network.embedded.count
        let weight = graph.constant(
            "\(layer.name).weight", parameters.weight.floats, shape: [layer.inputs, layer.units / columns, columns])
        var sums = graph.node("Einsum", [functions, weight], texts: [("equation", "nkg,kog->nog")])
        sums = graph.node("Reshape", [sums, graph.constant("\(layer.name).outputs", [-1, layer.units])])
        return parameters.bias.map { graph.node("Add", [sums, constant("\(layer.name).bias", $0)]) } ?? sums
    }

    private mutating func constant(_ name: String, _ tensor: Tensor) -> String {
        graph.constant(name, tensor.floats, shape: tensor.shape)
    }

    private mutating func activated(_ value: String, _ activation: Activation) -> String {
        rendered(activation.traits.export, of: value)
    }

    private mutating func rendered(_ formula: ActivationFormula, of value: String) -> String {
        switch formula {
        case .input: return value
        case .constant(let number): return scalar(number)
        case .node(let operation, let operand, let floats):
            let input = rendered(operand, of: value)
            return graph.node(operation, [input], floats: floats)
        case .product(let one, let other): return pair("Mul", one, other, of: value)
        case .sum(let one, let other): return pair("Add", one, other, of: value)
        }
    }

    private mutating func pair(
        _ operation: String, _ one: ActivationFormula, _ other: ActivationFormula, of value: String
    ) -> String {
        let operands = [rendered(one, of: value), rendered(other, of: value)]
        return graph.node(operation, operands)
    }

    private var scalars: Set<String> = []

    private mutating func scalar(_ value: Float) -> String {
        let name = "scalar_\(value)"
        return scalars.insert(name).inserted ? graph.constant(name, [value], shape: []) : name
    }

    private mutating func answer(_ members: [String]) {
        let outputs = saved.network.outputs
        switch saved.task {
        case .classification:
            let probabilities = mean(members, result: "probabilities")
            graph.output(probabilities, .float, width: outputs)
            let number = graph.node(
                "ArgMax", [probabilities], result: "class", integers: [("axis", 1), ("keepdims", 0)])
            graph.output(number, .int64, width: nil)
        case .multilabel:
            let probabilities = mean(members, result: "probabilities")
            graph.output(probabilities, .float, width: outputs)
            let yes = graph.node("GreaterOrEqual", [probabilities, scalar(0.5)])
            let label = graph.node("Cast", [yes], result: "label", integers: [("to", ONNXGraph.Element.int64.rawValue)])
            graph.output(label, .int64, width: outputs)
        case .regression:
            let normalization = saved.normalization
            var result = mean(members, result: nil)
            if !normalization.targetFactor.isEmpty {
                let inverse = graph.constant(
                    ONNXExport.inverseTargetFactor, ONNXExport.inverses(normalization.targetFactor), shape: [outputs])
                let shift = graph.constant(
                    "normalization.target_shift", normalization.targetShift.map { Float($0) }, shape: [outputs])
                result = graph.node("Add", [graph.node("Mul", [result, inverse]), shift])
            }
            if !normalization.targetLow.isEmpty {
                let low = graph.constant(
                    "normalization.target_low", normalization.targetLow.map { Float($0) }, shape: [outputs])
                let high = graph.constant(
                    "normalization.target_high", normalization.targetHigh.map { Float($0) }, shape: [outputs])
                result = graph.node("Min", [graph.node("Max", [result, low]), high])
            }
            graph.output(graph.node("Identity", [result], result: "value"), .float, width: outputs)
        }
    }

    /// The members' answers after the link, averaged.
    private mutating func mean(_ members: [String], result: String?) -> String {
        guard members.count > 1 else { return linked(members[0], result: result) }
        return graph.node("Mean", members.map { linked($0, result: nil) }, result: result)
    }

    private mutating func linked(_ value: String, result: String?) -> String {
        switch model.loss.link {
        case .softmax: graph.node("Softmax", [value], result: result, integers: [("axis", 1)])
        case .sigmoid: graph.node("Sigmoid", [value], result: result)
        case .exp: graph.node("Exp", [value], result: result)
        case .identity: result == nil ? value : graph.node("Identity", [value], result: result)
        }
    }
}

extension Tensor {
    /// The elements in 32 bits.
    var floats: [Float] {
        switch storage {
        case .float32(let values): values
        case .float64(let values): values.map { Float($0) }
        }
    }
}
