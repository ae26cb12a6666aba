internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// What an exported file says about its model, as names and texts: lists are JSON.
struct ExportDescription {
    let members: [(String, String)]

    init(_ model: TrainedModel, roundsWeights: Bool = false) {
        func list(_ texts: [String]) -> String { JSONValue.array(texts.map(JSONValue.string)).text() }
        var members = [
            ("format", "treadle"), ("program_version", model.origin.programVersion),
            ("task", model.saved.task.rawValue),
            ("loss", model.saved.loss.rawValue), ("parameter_digest", model.saved.parameters.digest),
            ("activations", list(model.saved.network.layers.map(\.activation.rawValue))),
        ]
        if roundsWeights { members.append(("weights", "bfloat16")) }
        if model.saved.network.members > 1 {
            members.append(("members", String(model.saved.network.members)))
        }
        if let classes = model.saved.classes { members.append(("classes", list(classes))) }
        if let columns = model.saved.columns { members.append(("columns", list(columns))) }
        if let schema = model.saved.schema { members.append(("schema", schema.text)) }
        self.members = members
    }
}

extension SavedModel {
    /// Every array that prediction needs, by a dotted name: `dense.weight` (inputs×units), `normalization.shift`, ….
    var exportedTensors: [(name: String, tensor: Tensor)] {
        var tensors: [(String, Tensor)] = []
        for layer in parameters {
            tensors.append(("\(layer.name).weight", layer.weight))
            if let bias = layer.bias { tensors.append(("\(layer.name).bias", bias)) }
        }
        if !self.network.embedded.isEmpty {
            let columns = self.network.embedded.map(Double.init)
            tensors.append(("embedding.columns", Tensor(shape: [columns.count], storage: .float64(columns))))
        }
        for (name, values) in self.normalization.named where !values.isEmpty && name != Normalization.sharesName {
            tensors.append(("normalization.\(name)", Tensor(shape: [values.count], storage: .float64(values))))
        }
        if let temperature = self.temperature {
            tensors.append(("calibration.temperature", Tensor(shape: [1], storage: .float64([temperature]))))
        }
        return tensors
    }
}

extension SavedModel {
    /// The names among `exportedTensors` of the matrices that products read.
    var denseWeights: [String] {
        zip(self.network.layers, self.parameters).filter { layer, _ in layer.kind == .dense }.map { _, parameters in
            "\(parameters.name).weight"
        }
    }
}

extension Tensor {
    /// The elements' bits in bfloat16, rounded to the nearest, of two the even one: what products read of them.
    var bfloat16Bits: [UInt16] {
        switch storage {
        case .float32(let values): values.map(\.bfloat16Bits)
        case .float64(let values):
            values.map { value in
                // Rounding to Float first must not make a tie of what is none.
                var single = Float(value)
                if Double(single) != value, single.bitPattern & 0xffff == 0x8000 {
                    single = Double(single) < value ? single.nextUp : single.nextDown
                }
                return single.bfloat16Bits
            }
        }
    }

    /// The elements' bits, row-major, the least byte first.
    var littleEndianBytes: [UInt8] {
        switch storage {
        case .float32(let values): values.littleEndianBytes
        case .float64(let values): values.littleEndianBytes
        }
    }

    /// Bytes of all elements.
    var byteCount: Int {
        switch storage {
        case .float32(let values): values.count * 4
        case .float64(let values): values.count * 8
        }
    }
}

extension Float {
    fileprivate var bfloat16Bits: UInt16 {
        let bits = bitPattern
        if isNaN { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits + 0x7fff + (bits >> 16 & 1)) >> 16)
    }
}
