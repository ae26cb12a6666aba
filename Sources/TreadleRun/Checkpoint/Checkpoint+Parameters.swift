internal import TreadleBase
internal import TreadleData
package import TreadleModel

extension Checkpoint {
    /// The SHA-256 over all parameters alone, in layer order, weight before bias, row-major little-endian: equal
    /// digests mean equal weights.
    package var parameterDigest: String { parameters.digest }

    /// The first number of the model or the optimizer that is NaN or infinite, as in `optimizer/v/dense/bias [3]`;
    /// nil when all are finite.
    package var firstNonFinite: String? {
        get throws {
            // Two, as the file is written by two: a run in the background leaves the other cores to the training.
            try CheckpointNumbers(self).firstNonFinite(workers: Workers(count: 2)) ?? self.normalization.firstNonFinite
        }
    }

    static func notFinite(_ place: String, _ path: String) -> TreadleError {
        TreadleError(.badData, "\(path): \(place) is not finite; use another checkpoint")
    }
}

extension Normalization {
    /// As in `normalization/factor [3]`; nil when all are finite.
    var firstNonFinite: String? {
        for (name, values) in named {
            if let index = values.firstNonFinite { return "normalization/\(name) [\(index)]" }
        }
        return nil
    }
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
}

extension Tensor {
    /// The indices of an element, such as `[3, 4]`.
    package func position(of index: Int) -> [Int] { shape.position(of: index) }
}

extension [Int] {
    /// The indices of an element in an array of this shape.
    func position(of index: Int) -> [Int] {
        var rest = index
        return reversed().map { extent in
            defer { rest /= extent }
            return rest % extent
        }.reversed()
    }
}

extension Array where Element: BinaryFloatingPoint & SIMDScalar {
    var firstNonFinite: Int? { unsafe withUnsafeBufferPointer { unsafe $0.firstNonFinite } }
}

extension UnsafeBufferPointer where Element: BinaryFloatingPoint & SIMDScalar {
    var firstNonFinite: Int? {
        guard let base = baseAddress else { return nil }
        // Nothing times a number is nothing, but for NaN and the infinities: sums of that find a stretch that has one.
        let stretch = 1024
        var start = 0
        while count - start >= stretch {
            var sums = SIMD8<Element>.zero
            for place in stride(from: start, to: start + stretch, by: 8) {
                let eight = unsafe UnsafeRawPointer(base + place).loadUnaligned(as: SIMD8<Element>.self)
                sums += eight * 0
            }
            guard sums == .zero else { break }
            start += stretch
        }
        return unsafe self[start...].firstIndex { !$0.isFinite }
    }
}

extension SHA256 {
    mutating func add(_ tensor: Tensor) {
        switch tensor.storage {
        case .float32(let values): add(unsafe values.span.bytes)
        case .float64(let values): add(unsafe values.span.bytes)
        }
    }
}
