import Testing
@testable import TreadleBase

/// The fixed tree, whoever has which of its terms.
@Suite struct SumTreeTests {
    /// What was added to what, as text.
    private struct Formula: Summable {
        var text: String
        mutating func add(_ right: Formula) { text = "(\(text)+\(right.text))" }
    }

    private func tree(_ terms: Range<Int>) -> SumTree<Formula> {
        var tree = SumTree<Formula>()
        for term in terms { tree.append(Formula(text: "\(term)"), of: term..<term + 1) }
        return tree
    }

    @Test func `terms meet as digits of a binary counter`() {
        #expect(tree(0..<0).total == nil)
        #expect(tree(0..<1).total?.text == "0")
        #expect(tree(0..<6).total?.text == "(((0+1)+(2+3))+(4+5))")
        #expect(tree(0..<7).total?.text == "(((0+1)+(2+3))+((4+5)+6))")
        #expect(tree(0..<8).total?.text == "(((0+1)+(2+3))+((4+5)+(6+7)))")
    }

    @Test func `however terms are shared out, the total is the same sum`() {
        for count in 1...40 {
            let whole = tree(0..<count).total?.text
            for ranks in 1...count + 2 {
                var joined = SumTree<Formula>()
                for rank in 0..<ranks {
                    let part = tree(rank * count / ranks..<(rank + 1) * count / ranks)
                    for (terms, sum) in part.subtrees { joined.append(sum, of: terms) }
                }
                #expect(joined.total?.text == whole, "\(count) terms on \(ranks) ranks")
            }
        }
    }

    @Test func `additions written down give the total in the last place`() {
        for count in 1...20 {
            var tree = SumTree<Additions>()
            for place in 0..<count { tree.append(Additions(place: place), of: place..<place + 1) }
            var terms = (0..<count).map { Formula(text: "\($0)") }
            for step in tree.total?.steps ?? [] {
                var left = terms[step.from]
                left.add(terms[step.into])
                terms[step.into] = left
            }
            #expect(terms.last?.text == self.tree(0..<count).total?.text)
        }
    }
}
