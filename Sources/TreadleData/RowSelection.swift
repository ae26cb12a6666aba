internal import CDecode
internal import TreadleBase

/// Some of a dataset's rows, in ascending order: the n-th of them is found without a search through all.
struct RowSelection: Sendable {
    private enum Form: Sendable {
        case range(Range<Int>)
        case bits(RowBits)
    }

    private let form: Form
    let count: Int
    /// Of a part: how many rows before it are left out.
    private var skipped = 0
    private(set) var isPart = false

    init(_ range: Range<Int>) {
        form = .range(range)
        count = range.count
    }

    init(_ bits: RowBits) {
        form = .bits(bits)
        count = bits.ones
    }

    private init(_ form: Form, count: Int) {
        self.form = form
        self.count = count
    }

    /// The rows at `ordinals` alone.
    func part(_ ordinals: Range<Int>) -> RowSelection {
        var part = RowSelection(form, count: ordinals.count)
        part.skipped = skipped + ordinals.lowerBound
        part.isPart = true
        return part
    }

    /// Whether `row` is one of them, or was before a part was taken.
    func contains(_ row: Int) -> Bool {
        switch form {
        case .range(let range): range.contains(row)
        case .bits(let bits): bits[row]
        }
    }

    /// Replaces each ordinal (0 for the first row of the selection) by the row it stands for.
    func replace(_ ordinals: UnsafeMutablePointer<UInt64>, count: Int) {
        if skipped > 0 { for index in 0..<count { unsafe ordinals[index] += UInt64(skipped) } }
        switch form {
        case .range(let range):
            guard range.lowerBound > 0 else { return }
            for index in 0..<count { unsafe ordinals[index] += UInt64(range.lowerBound) }
        case .bits(let bits):
            unsafe bits.replace(ordinals, count: count)
        }
    }

    /// The row that stands at `ordinal`.
    subscript(ordinal: Int) -> Int {
        precondition(ordinal >= 0 && ordinal < count, "an ordinal must lie below the selection's count")
        var row = UInt64(ordinal)
        unsafe replace(&row, count: 1)
        return Int(row)
    }
}

/// One bit a row, with the ones counted every 512 rows.
struct RowBits: Sendable {
    let rows: Int
    private var words: [UInt64]
    /// How many ones lie before each block, and in all.
    private var counts: [UInt64] = []

    /// A set of the rows for which `isChosen` says so; it is asked on all workers.
    init(rows: Int, workers: Workers, isChosen: @Sendable (Int) -> Bool) {
        self.rows = rows
        let blocks = (rows + 511) / 512
        words = Array(repeating: 0, count: blocks * 8)
        unsafe words.withUnsafeMutableBufferPointer { words in
            nonisolated(unsafe) let words = unsafe words
            // Whole blocks of 64 words: no two tasks share a word.
            workers.forEach((blocks + 7) / 8) { task, _ in
                let first = task * 4096
                for row in first..<min(first + 4096, rows) where isChosen(row) {
                    unsafe words[row / 64] |= 1 << UInt64(row % 64)
                }
            }
        }
        countOnes()
    }

    private mutating func countOnes() {
        counts = [0]
        counts.reserveCapacity(words.count / 8 + 1)
        var total: UInt64 = 0
        for block in 0..<words.count / 8 {
            for word in words[block * 8..<block * 8 + 8] { total += UInt64(word.nonzeroBitCount) }
            counts.append(total)
        }
    }

    var ones: Int { Int(counts.last ?? 0) }

    subscript(row: Int) -> Bool { words[row / 64] >> UInt64(row % 64) & 1 == 1 }

    /// Replaces each ordinal by the row of that one bit.
    func replace(_ ordinals: UnsafeMutablePointer<UInt64>, count: Int) {
        unsafe words.withUnsafeBufferPointer { words in
            unsafe counts.withUnsafeBufferPointer { counts in
                guard let words = words.baseAddress, let first = counts.baseAddress else { return }
                var bits = unsafe cd_bits(words: words, counts: first, blocks: counts.count - 1)
                unsafe cd_select(&bits, count, ordinals)
            }
        }
    }
}
