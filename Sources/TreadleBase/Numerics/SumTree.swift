/// What can be added up.
package protocol Summable: Sendable {
    /// Adds the sum of the terms that follow.
    mutating func add(_ right: Self)
}

extension Double: Summable {
    package mutating func add(_ right: Double) { self += right }
}

/// Adds consecutive terms by one fixed binary tree, keeping only its edge: the bits depend on the terms alone.
///
/// Terms meet as digits of a binary counter: 8 give ((0+1)+(2+3))+((4+5)+(6+7)), and 7 give ((0+1)+(2+3))+((4+5)+6).
/// Whoever has only some of the terms sums the whole subtrees among them; put together, these give the same total.
package struct SumTree<Sum: Summable>: Sendable {
    /// Whole subtrees that have no neighbour to be added to, in the order of their terms.
    package private(set) var subtrees: [(terms: Range<Int>, sum: Sum)] = []

    package init() {}

    /// Adds the sum of the next terms, which make a whole subtree: one term does.
    package mutating func append(_ sum: Sum, of terms: Range<Int>) {
        var (terms, sum) = (terms, sum)
        while let last = subtrees.last, last.terms.count == terms.count,
            last.terms.lowerBound.isMultiple(of: 2 * terms.count)
        {
            subtrees.removeLast()
            var left = last.sum
            left.add(sum)
            (terms, sum) = (last.terms.lowerBound..<terms.upperBound, left)
        }
        subtrees.append((terms, sum))
    }

    /// All terms together; nil without any.
    package var total: Sum? {
        guard var sum = subtrees.last?.sum else { return nil }
        for (_, before) in subtrees.dropLast().reversed() {
            var left = before
            left.add(sum)
            sum = left
        }
        return sum
    }
}

/// In which order sums in numbered places are added: a sum that writes down what is done.
package struct Additions: Summable {
    package private(set) var place: Int
    package private(set) var steps: [(from: Int, into: Int)] = []

    package init(place: Int) { self.place = place }

    package mutating func add(_ right: Additions) {
        steps += right.steps
        steps.append((from: place, into: right.place))
        place = right.place
    }
}
