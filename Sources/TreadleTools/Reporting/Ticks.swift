internal import Foundation

/// Round numbers along an axis.
struct Ticks: Equatable, Sendable {
    let values: [Double]
    let labels: [String]

    /// Multiples of 1, 2 or 5 times a power of ten between the ends, about `count` of them.
    init(from low: Double, to high: Double, about count: Int, wholeOnly: Bool = false) {
        precondition(low < high && low.isFinite && high.isFinite, "an axis has two ends")
        let rough = (high / 2 - low / 2) / Double(max(count, 1)) * 2
        let power = pow(10, log10(rough).rounded(.down))
        var step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999_999 } ?? 10 * power
        if wholeOnly { step = max(1, step.rounded()) }
        let first = (low / step).rounded(.up)
        let last = (high / step).rounded(.down)
        let decimals = max(0, Int((-log10(step) - 0.000_001).rounded(.up)))
        guard first <= last, last - first < 1000 else {
            values = []
            labels = []
            return
        }
        values = stride(from: first, through: last, by: 1).map { $0 * step }
        labels = values.map { value in
            let largest = max(abs(low), abs(high))
            if largest >= 1e5 || largest < 1e-3 { return Figure.digits(3, value) }
            return String(format: "%.\(decimals)f", value == 0 ? 0 : value)
        }
    }

    /// Powers of ten between the ends of a logarithmic axis, with twos and fives where there are few.
    init(powersFrom low: Double, to high: Double) {
        precondition(0 < low && low < high, "a logarithmic axis has two positive ends")
        let powers = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
        let factors: [Double] = powers.count > 4 ? [1] : [1, 2, 5]
        values = powers.flatMap { power in factors.map { $0 * pow(10, Double(power)) } }.filter {
            low <= $0 && $0 <= high
        }
        labels = values.map { Figure.digits(3, $0) }
    }
}
