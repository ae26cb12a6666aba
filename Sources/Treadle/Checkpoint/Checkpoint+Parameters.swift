extension Checkpoint {
    /// The SHA-256 over all parameters alone, in layer order, weight before bias, row-major little-endian: equal
    /// digests mean equal weights.
    package var parameterDigest: String { parameters.digest }
}

extension [LayerParameters] {
    /// The SHA-256 over these, in order, weight before bias, row-major little-endian.
    package var digest: String {
        var hash = SHA256()
        for layer in self {
            hash.add(layer.weight)
            if let bias = layer.bias { hash.add(bias) }
        }
        return hash.hexadecimal
    }

    /// Throws `.diverged` at the first value that is not finite.
    package func checkFinite(in what: String) throws {
        for layer in self {
            for (name, tensor) in [("weight", layer.weight), ("bias", layer.bias)] {
                guard let tensor, let index = tensor.firstNonFinite else { continue }
                throw TreadleError(
                    .diverged,
                    "\(what) \(layer.name)/\(name) is not finite at \(tensor.position(of: index)); lower optimizer.lr, "
                        + "or set optimizer.clip_norm")
            }
        }
    }
}

extension Tensor {
    /// Where the first NaN or infinity is, row-major.
    var firstNonFinite: Int? {
        switch storage {
        case .float32(let values): values.firstNonFinite
        case .float64(let values): values.firstNonFinite
        }
    }

    /// The indices of an element, such as `[3, 4]`.
    func position(of index: Int) -> [Int] {
        var rest = index
        return shape.reversed().map { extent in
            defer { rest /= extent }
            return rest % extent
        }.reversed()
    }
}

extension Array where Element: BinaryFloatingPoint {
    fileprivate var firstNonFinite: Int? { firstIndex { !$0.isFinite } }
}

extension SHA256 {
    mutating func add(_ tensor: Tensor) {
        switch tensor.storage {
        case .float32(let values): add(unsafe values.span.bytes)
        case .float64(let values): add(unsafe values.span.bytes)
        }
    }
}
