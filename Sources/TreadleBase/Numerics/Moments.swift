/// How many numbers there are, their mean, and the sum of their squared distances from it.
package struct Moments: Equatable, Sendable {
    package var count: Double
    package var mean: Double
    package var squares: Double

    package init(count: Double, mean: Double, squares: Double) {
        self.count = count
        self.mean = mean
        self.squares = squares
    }

    /// Takes over the numbers that `other` stands for.
    ///
    /// Chan's formula for two parts' moments: no cancellation, however far the numbers are from zero.
    package mutating func add(_ other: Moments) {
        guard other.count > 0 else { return }
        guard count > 0 else {
            self = other
            return
        }
        let all = count + other.count
        let distance = other.mean - mean
        mean += distance * (other.count / all)
        squares += other.squares + distance * distance * (count * other.count / all)
        count = all
    }
}
