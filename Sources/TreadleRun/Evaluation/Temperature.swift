internal import TreadleBase
internal import TreadleModel

/// The temperature that makes a model's probabilities as surprising as they should be: outputs are divided by it before
/// softmax or sigmoid, which changes how sure the model is, and never what it answers.
enum Temperature {
    /// Beyond these, the rows say no more than that all, or none, of the answers are right.
    static let range = 0.05...20.0

    /// Rows in a part of the sums: a constant, so that they do not depend on the number of threads.
    private static let block = 4096

    /// The temperature at which the log loss is least, by the rows' weights, for outputs before the link.
    ///
    /// The slope over 1/T rises from end to end, so that its zero is found by halving the interval, to the last digits.
    static func fitted(_ logits: ScoredRows, workers: Workers) -> Double {
        var (low, high) = (1 / range.upperBound, 1 / range.lowerBound)
        if slope(logits, at: low, workers) >= 0 { return range.upperBound }
        if slope(logits, at: high, workers) <= 0 { return range.lowerBound }
        while high - low > 1e-12 * high {
            let middle = (low + high) / 2
            if slope(logits, at: middle, workers) < 0 { low = middle } else { high = middle }
        }
        return 2 / (low + high)
    }

    /// The temperature at which `loss` is least, where it can only be tried: by the golden section of its logarithm.
    static func searched(_ loss: (Double) throws -> Double) rethrows -> Double {
        let golden = (5.0.squareRoot() - 1) / 2
        func value(_ power: Double) throws -> Double { try loss(ElementaryFunction.exp(power)) }
        var (low, high) = (ElementaryFunction.log(range.lowerBound), ElementaryFunction.log(range.upperBound))
        var (left, right) = (high - golden * (high - low), low + golden * (high - low))
        var (atLeft, atRight) = (try value(left), try value(right))
        // To a thousandth: what is left changes no probability that anybody reads.
        while high - low > 1e-3 {
            if atLeft <= atRight {
                (high, right, atRight) = (right, left, atLeft)
                left = high - golden * (high - low)
                atLeft = try value(left)
            } else {
                (low, left, atLeft) = (left, right, atRight)
                right = low + golden * (high - low)
                atRight = try value(right)
            }
        }
        return ElementaryFunction.exp((low + high) / 2)
    }

    /// The slope of the summed log loss over the inverse temperature.
    private static func slope(_ logits: ScoredRows, at inverse: Double, _ workers: Workers) -> Double {
        let blocks = (logits.count + block - 1) / block
        let parts = workers.map(blocks) { index, _ in
            slope(logits, index * block..<min((index + 1) * block, logits.count), at: inverse)
        }
        return parts.reduce(0, +)
    }

    private static func slope(_ logits: ScoredRows, _ rows: Range<Int>, at inverse: Double) -> Double {
        let outputs = logits.outputs
        var powers = (rows.lowerBound * outputs..<rows.upperBound * outputs).map { inverse * logits.predictions[$0] }
        if logits.task == .classification {
            for row in 0..<rows.count {
                let greatest = powers[row * outputs..<(row + 1) * outputs].max() ?? 0
                for column in 0..<outputs { powers[row * outputs + column] -= greatest }
            }
            ElementaryFunction.exp.apply(to: &powers)
        } else {
            ElementaryFunction.sigmoid.apply(to: &powers)
        }
        var total = 0.0
        for row in rows {
            let first = (row - rows.lowerBound) * outputs
            var slope = 0.0
            if logits.task == .classification {
                var (sum, mean) = (0.0, 0.0)
                for column in 0..<outputs {
                    sum += powers[first + column]
                    mean += powers[first + column] * logits.predictions[row * outputs + column]
                }
                slope = mean / sum - logits.predictions[row * outputs + logits.classes[row]]
            } else {
                for column in 0..<outputs {
                    let target = logits.belongs(row, to: column) ? 1.0 : 0
                    slope += (powers[first + column] - target) * logits.predictions[row * outputs + column]
                }
            }
            total += logits.weights[row] * slope
        }
        return total
    }
}
