/// Numbers with a shape, row-major: how parameters travel between the engine, files and reports.
package struct Tensor: Equatable, Sendable {
    package enum Storage: Equatable, Sendable {
        case float32([Float])
        case float64([Double])
    }

    package var shape: [Int]
    package var storage: Storage

    package init(shape: [Int], storage: Storage) {
        self.shape = shape
        self.storage = storage
        precondition(shape.reduce(1, *) == count, "a tensor's shape must hold its elements")
    }

    package var count: Int {
        switch storage {
        case .float32(let values): values.count
        case .float64(let values): values.count
        }
    }
}

/// A layer's weights as people and files know them: the kernel F×D, and a bias of D unless it has none.
package struct LayerParameters: Equatable, Sendable {
    package var name: String
    package var weight: Tensor
    package var bias: Tensor?

    package init(name: String, weight: Tensor, bias: Tensor?) {
        self.name = name
        self.weight = weight
        self.bias = bias
    }
}
