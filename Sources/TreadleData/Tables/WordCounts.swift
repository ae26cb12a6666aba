/// The different values of a column, and how often each came: of numbers only while they are few, of words only the most
/// frequent once they are very many.
struct WordCounts {
    /// More different words than this are not counted exactly any more: the most frequent of them are kept.
    static let mostWords = 65_536
    private static let keptWords = 4_096
    /// Longer texts are no names of anything.
    private static let longestWord = 256

    private var words = WordTable()
    private var counts: [Int] = []
    private var differentNumbers = 0
    /// Whether words were forgotten for others.
    private(set) var hasForgotten = false
    /// Whether there were so many different numbers that they are not remembered.
    private(set) var hasManyNumbers = false
    private let mostNumbers: Int

    /// Remembers up to `mostNumbers` different numbers.
    init(mostNumbers: Int) {
        self.mostNumbers = mostNumbers
    }

    /// How many different values are remembered.
    var count: Int { words.count }

    mutating func add(_ field: DelimitedField, _ bytes: Span<UInt8>, isNumber: Bool = false) {
        field.withWord(bytes) { word in
            guard word.count <= WordCounts.longestWord else {
                hasForgotten = true
                return
            }
            add(word, times: 1, isNumber: isNumber)
        }
        if differentNumbers > mostNumbers { forgetNumbers() }
    }

    private mutating func add(_ word: Span<UInt8>, times: Int, isNumber: Bool) {
        let number = words.insert(word)
        if number == counts.count {
            counts.append(times)
            differentNumbers += isNumber ? 1 : 0
        } else {
            counts[number] += times
        }
    }

    /// Adds the values of the block that follows; numbers count as such where `tellsNumbers` says so.
    mutating func merge(_ other: WordCounts, tellsNumbers: Bool) {
        hasForgotten = hasForgotten || other.hasForgotten
        let hadManyNumbers = hasManyNumbers
        hasManyNumbers = hasManyNumbers || other.hasManyNumbers
        for number in 0..<other.words.count {
            other.words.withWord(number) { word in
                let isNumber = tellsNumbers && WordCounts.isNumber(word)
                if isNumber, hasManyNumbers { return }
                add(word, times: other.counts[number], isNumber: isNumber)
            }
        }
        if differentNumbers > mostNumbers || (hasManyNumbers && !hadManyNumbers) { forgetNumbers() }
        if words.count > WordCounts.mostWords { forgetRareWords() }
    }

    /// Keeps words alone, whatever came first: how blocks follow each other must not matter.
    private mutating func forgetNumbers() {
        hasManyNumbers = true
        var kept = WordTable()
        var keptCounts: [Int] = []
        for number in counts.indices where !words.withWord(number, WordCounts.isNumber) {
            _ = words.withWord(number) { kept.insert($0) }
            keptCounts.append(counts[number])
        }
        words = kept
        counts = keptCounts
        differentNumbers = 0
    }

    private static func isNumber(_ word: Span<UInt8>) -> Bool {
        var position = 0
        return Double.scan(word, &position) != nil && position == word.count
    }

    /// Keeps the words that came most often.
    private mutating func forgetRareWords() {
        let kept = frequent.prefix(WordCounts.keptWords)
        words = WordTable(kept.map(\.word))
        counts = kept.map(\.count)
        differentNumbers = kept.count { WordCounts.isNumber(Array($0.word.utf8).span) }
        hasForgotten = true
    }

    /// The different values, the most frequent first, equals in the order of their letters.
    var frequent: [(word: String, count: Int)] {
        counts.indices.map { (words[$0], counts[$0]) }.sorted {
            $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
        }
    }
}
