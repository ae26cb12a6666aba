/// The shape of a network: F inputs, a stem where there is one, then dense layers, the last of which makes the output; or
/// several such networks on the same inputs, its members, whose answers are averaged.
package struct Network: Equatable, Sendable, Codable {
    package var inputs: Int
    /// The layers of the stem, then at least one dense layer; the last is the output layer, whose activation is identity: the
    /// loss knows the link. Of several members, the first one's layers, then the next one's, as many each.
    package var layers: [Layer]
    /// The inputs that the stem embeds, in rising order.
    package var embedded: [Int]
    /// What the products compute in.
    package var precision: Precision
    package private(set) var members = 1

    package init(inputs: Int, layers: [Layer], embedded: [Int] = [], precision: Precision = .float32) {
        self.inputs = inputs
        self.layers = layers
        self.embedded = embedded
        self.precision = precision
    }

    /// Networks on the same inputs as the members of one. One alone is itself.
    package init(members: [Network]) {
        guard let first = members.first else { preconditionFailure("a network has a member at least") }
        precondition(
            members.allSatisfy { $0.inputs == first.inputs && $0.outputs == first.outputs && $0.members == 1 }
                && members.allSatisfy { $0.layers.map(\.kind) == first.layers.map(\.kind) }
                && members.allSatisfy { $0.embedded == first.embedded },
            "members answer the same question")
        self.init(
            inputs: first.inputs, layers: members.flatMap(\.layers), embedded: first.embedded,
            precision: first.precision)
        self.members = members.count
    }

    package var outputs: Int { layers.last?.units ?? 0 }
    package var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }

    /// What stands before the dense layers, embeddings, factors of the inputs, or nothing: of each member the same kinds.
    package var stem: ArraySlice<Layer> { layers[layers(of: 0)].prefix { $0.kind != .dense } }
    /// The dense layers, of several members the first one's.
    package var dense: ArraySlice<Layer> { layers[layers(of: 0)].drop { $0.kind != .dense } }

    /// Whether the stem's layers are such as there are, and fit each other and the first dense layer.
    package var hasSoundStem: Bool {
        guard members == 1 else { return (0..<members).allSatisfy { member($0).hasSoundStem } }
        guard let first = dense.first, dense.allSatisfy({ $0.kind == .dense }), inputs > 0 else { return false }
        let layers = Array(stem)
        let functions = layers.first.map(\.kind).flatMap { [Layer.Kind.waves, .ramps].contains($0) ? $0 : nil }
        let scales = layers.last?.kind == .factors
        let kinds = (functions.map { [$0, .combination] } ?? []) + (scales ? [.factors] : [])
        guard layers.map(\.kind) == kinds else { return false }
        if let factors = layers.last, scales {
            guard factors.inputs == 1, factors.units == first.inputs, !factors.hasBias else { return false }
        }
        guard functions != nil else { return embedded.isEmpty && first.inputs == inputs }
        let (functionLayer, combination) = (layers[0], layers[1])
        return !embedded.isEmpty && embedded.allSatisfy { (0..<inputs).contains($0) }
            && zip(embedded, embedded.dropFirst()).allSatisfy { $0 < $1 }
            && combination.units == embeddingOutputs * embedded.count && (1...32).contains(embeddingOutputs)
            && functionLayer.inputs == 1 && functionLayer.units == combination.inputs * embedded.count
            && first.inputs == inputs + combination.units && functionLayer.hasBias && combination.hasBias
    }

    /// The numbers that each embedded input becomes besides itself.
    package var embeddingOutputs: Int {
        guard let combined = stem.first(where: { $0.kind == .combination }), !embedded.isEmpty else { return 0 }
        return combined.units / embedded.count
    }

    /// Whether this one of `layers` is a member's first dense one, and whether it makes an output.
    package func readsInputs(_ index: Int) -> Bool { index % (layers.count / members) == stem.count }
    package func makesOutput(_ index: Int) -> Bool { (index + 1) % (layers.count / members) == 0 }

    /// The widths from the inputs to the outputs, such as "4-64-3", and with members "5 x 4-64-3".
    package func shape(joint: String = "-", times: String = "x") -> String {
        let shapes = (0..<members).map { member in
            ([inputs] + self.member(member).dense.map(\.units)).map(String.init).joined(separator: joint)
        }
        guard members > 1 else { return shapes[0] }
        let isSame = shapes.allSatisfy { $0 == shapes[0] }
        return isSame ? "\(members) \(times) \(shapes[0])" : shapes.joined(separator: ", ")
    }

    /// Which of `layers` are of `member`, counted from 0.
    package func layers(of member: Int) -> Range<Int> {
        let each = layers.count / members
        return member * each..<(member + 1) * each
    }

    /// One member, counted from 0, as a network by itself.
    package func member(_ member: Int) -> Network {
        members == 1
            ? self
            : Network(
                inputs: inputs, layers: Array(layers[layers(of: member)]), embedded: embedded, precision: precision)
    }

    /// What stands before the names of a member's layers, where there are several members.
    package static func prefix(ofMember member: Int) -> String { "m\(member + 1)/" }
}

/// One layer: of a dense one `activation(x · W + b)`, W being inputs×units.
package struct Layer: Equatable, Sendable, Codable {
    /// `dense`, `dense_1`, `dense_2`, … as Keras counts them; those of the stem are called what they are.
    package var name: String
    package var kind: Kind
    /// What a unit reads: of a layer of the stem, each unit has its own group of inputs.
    package var inputs: Int
    package var units: Int
    package var activation: Activation
    package var dropout: Double
    package var hasBias: Bool

    /// What a layer does with its weights. The stem has, as far as there are any, a layer of waves or ramps, one of their
    /// combinations, and one of factors.
    ///
    /// With G embedded columns, K functions and O outputs a column, and Z numbers that the first dense layer reads:
    package enum Kind: String, CaseIterable, Codable, Sendable {
        /// Each unit reads all inputs.
        case dense
        /// 1 × K·G: unit k·G + g is cos(2π(w·x + b)) of the embedded column g.
        case waves
        /// 1 × K·G: unit k·G + g is w·x + b of the embedded column g, but 0 below 0 and 1 above 1.
        case ramps
        /// K × O·G: unit o·G + g adds up the waves or ramps of column g.
        case combination
        /// 1 × Z: unit i is input i times its weight; of the embedding's outputs, too.
        case factors
    }

    package init(
        name: String, kind: Kind = .dense, inputs: Int, units: Int, activation: Activation, dropout: Double,
        hasBias: Bool
    ) {
        self.name = name
        self.kind = kind
        self.inputs = inputs
        self.units = units
        self.activation = activation
        self.dropout = dropout
        self.hasBias = hasBias
    }

    package var parameterCount: Int { inputs * units + (hasBias ? units : 0) }
}

/// Which numbers the optimizer moves in a dense layer.
package enum Parameterization: String, CaseIterable, Codable, Sendable {
    /// The weights themselves.
    case standard
    /// Weights that are divided by √F in the layer: all of them have the same size then, however many inputs there are.
    case ntk
}
