internal import TreadleBase
internal import TreadleModel

/// Counts and sums over a part of some numbers; parts are added in order.
struct NumberTally: Sendable {
    var count = 0
    var zeros = 0
    var nan = 0
    var infinite = 0
    var minimum = Double.infinity
    var maximum = -Double.infinity
    /// What the numbers are divided by before they are summed: 1 unless their squares are beyond the doubles' range.
    private(set) var scale = 1.0
    /// Of the scaled numbers: the mean, the sum of squared deviations from it, and of squares.
    var mean = 0.0
    var deviations = 0.0
    var squares = 0.0

    init() {}

    init<S: Scalar>(_ values: UnsafeBufferPointer<S>) {
        count = values.count
        if unsafe !addFinite(values) { unsafe addAny(values) }
        guard !sumsAreFinite else { return }
        self = NumberTally()
        count = values.count
        scale = Self.largeScale
        unsafe addAny(values)
    }

    /// Squares of the largest doubles, divided by this, add up to finite sums.
    private static let largeScale = 0x1p600

    private var sumsAreFinite: Bool { mean.isFinite && deviations.isFinite && squares.isFinite }

    private mutating func enlargeScale() {
        guard scale == 1 else { return }
        scale = Self.largeScale
        mean /= scale
        deviations = deviations / scale / scale
        squares = squares / scale / scale
    }

    /// Takes over another part's numbers, which follow on these.
    mutating func add(_ next: NumberTally) {
        var next = next
        let present = self
        addSums(of: next)
        if scale != next.scale || !sumsAreFinite {
            self = present
            enlargeScale()
            next.enlargeScale()
            addSums(of: next)
        }
        minimum = min(minimum, next.minimum)
        maximum = max(maximum, next.maximum)
        count += next.count
        zeros += next.zeros
        nan += next.nan
        infinite += next.infinite
    }

    private mutating func addSums(of next: NumberTally) {
        var moments = Moments(count: Double(finite), mean: mean, squares: deviations)
        moments.add(Moments(count: Double(next.finite), mean: next.mean, squares: next.deviations))
        (mean, deviations) = (moments.mean, moments.squares)
        squares += next.squares
    }

    private var finite: Int { count - nan - infinite }

    /// Tallies numbers that are all finite, in eight stripes; false where one is not.
    private mutating func addFinite<S: Scalar>(_ values: UnsafeBufferPointer<S>) -> Bool {
        typealias Stripes = SIMD8<Double>
        let whole = values.count / 8 * 8
        func stripes(_ index: Int) -> Stripes {
            let memory = unsafe UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped + index)
            return Stripes(unsafe memory.loadUnaligned(as: SIMD8<S>.self))
        }
        var (sum, squared, check) = (Stripes.zero, Stripes.zero, Stripes.zero)
        var (low, high) = (Stripes(repeating: .infinity), Stripes(repeating: -.infinity))
        var none = SIMD8<Int64>.zero
        for index in stride(from: 0, to: whole, by: 8) {
            let value = stripes(index)
            // NaN once any number is not finite, 0 until then.
            check += value - value
            sum += value
            squared += value * value
            low = pointwiseMin(low, value)
            high = pointwiseMax(high, value)
            none.replace(with: none &+ 1, where: value .== 0)
        }
        guard check.sum() == 0 else { return false }
        var total = sum.sum()
        squares = squared.sum()
        minimum = low.min()
        maximum = high.max()
        zeros = Int(none.wrappedSum())
        for index in whole..<values.count {
            let value = unsafe Double(values[index])
            guard value.isFinite else {
                self = NumberTally()
                count = values.count
                return false
            }
            total += value
            squares += value * value
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            if value == 0 { zeros += 1 }
        }
        guard count > 0 else { return true }
        mean = total / Double(count)
        var apart = Stripes.zero
        for index in stride(from: 0, to: whole, by: 8) {
            let distance = stripes(index) - mean
            apart += distance * distance
        }
        deviations = apart.sum()
        for index in whole..<values.count {
            let distance = unsafe Double(values[index]) - mean
            deviations += distance * distance
        }
        return true
    }

    /// Tallies any numbers, one after the other.
    private mutating func addAny<S: Scalar>(_ values: UnsafeBufferPointer<S>) {
        var total = 0.0
        for index in values.indices {
            let value = unsafe Double(values[index])
            if value.isNaN {
                nan += 1
            } else if value.isInfinite {
                infinite += 1
            } else {
                let scaled = value / scale
                total += scaled
                squares += scaled * scaled
                minimum = min(minimum, value)
                maximum = max(maximum, value)
                if value == 0 { zeros += 1 }
            }
        }
        guard finite > 0 else { return }
        mean = total / Double(finite)
        for index in values.indices {
            let value = unsafe Double(values[index])
            guard value.isFinite else { continue }
            let distance = value / scale - mean
            deviations += distance * distance
        }
    }
}
