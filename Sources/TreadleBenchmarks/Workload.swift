internal import TreadleConfiguration
internal import TreadleModel

/// A network, a batch size and an optimizer whose steps are timed.
struct Workload: Sendable {
    var name: String
    var widths: [Int]
    var activation: Activation
    var batchSize: Int
    var optimizer: OptimizerConfiguration
    /// Rows in memory from which batches are drawn at random; a batch's own rows otherwise.
    var rows: Int
    /// Class numbers as targets, for cross-entropy; values for squared error otherwise.
    var classifies: Bool

    static let all: [Workload] = [
        Workload("mlp512", [784, 512, 512, 10], batchSize: 128),
        Workload("mlp512-adam", [784, 512, 512, 10], batchSize: 128, optimizer: .of(.adam, lr: 1e-3)),
        Workload("mlp1024", [784, 1024, 1024, 10], batchSize: 1024),
        Workload("mlp256", [784, 256, 10], batchSize: 32, optimizer: .of(.sgd, lr: 0.01, momentum: 0.9)),
        Workload("tanh300", [784, 300, 200, 37, 10], .tanh, batchSize: 100, optimizer: .of(.adam, lr: 1e-3)),
        Workload("tiny", [32, 64, 64, 1], .tanh, batchSize: 32, classifies: false),
        Workload("linear", [1000, 1], batchSize: 1024, rows: 131_072, classifies: false),
    ]

    init(
        _ name: String, _ widths: [Int], _ activation: Activation = .relu, batchSize: Int,
        optimizer: OptimizerConfiguration = .of(.sgd, lr: 0.01), rows: Int = 8192, classifies: Bool = true
    ) {
        self.name = name
        self.widths = widths
        self.activation = activation
        self.batchSize = batchSize
        self.optimizer = optimizer
        self.rows = rows
        self.classifies = classifies
    }

    var network: Network {
        let layers = (1..<widths.count).map { index in
            Layer(
                name: index == 1 ? "dense" : "dense_\(index - 1)", inputs: widths[index - 1], units: widths[index],
                activation: index == widths.count - 1 ? .identity : activation, dropout: 0, hasBias: true)
        }
        return Network(inputs: widths[0], layers: layers)
    }

    var loss: LossFunction {
        LossFunction(type: classifies ? .crossEntropy : .mse, outputs: network.outputs)
    }

    /// Floating-point operations a row: two for each multiply-add of the forward pass, of dX and of XᵀdY.
    var operationsPerRow: Double {
        let products = zip(widths, widths.dropFirst()).map { Double($0 * $1) }
        return 2 * (3 * products.reduce(0, +) - products[0])
    }

    /// The operations of phase 1: all but XᵀdY.
    var operationsOfRows: Double {
        let products = zip(widths, widths.dropFirst()).map { Double($0 * $1) }
        return 2 * (2 * products.reduce(0, +) - products[0])
    }
}

extension OptimizerConfiguration {
    static func of(_ type: OptimizerType, lr: Double, momentum: Double = 0) -> OptimizerConfiguration {
        OptimizerConfiguration(
            type: type, lr: lr, momentum: momentum, nesterov: false, beta1: 0.9, beta2: 0.999, rho: 0.99, eps: 1e-8,
            weightDecay: 0, l1: 0, clipNorm: nil)
    }
}
