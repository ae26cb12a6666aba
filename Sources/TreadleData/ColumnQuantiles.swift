internal import CDecode
internal import Synchronization
internal import TreadleBase

/// Quantiles of columns over some rows, exactly as NumPy's `quantile` has them: a number of the column, or a point
/// between two neighbours.
///
/// Nothing is sorted or kept: passes over the rows count by how each number goes on, digit by digit from the top of its 64
/// bits, until the few numbers that matter are known whole. So memory does not grow with the rows, and neither their order
/// nor how they are stored or shared out changes a bit.
struct ColumnQuantiles {
    /// For each column one value for each of the quantiles, 0 for a column without a finite number.
    let values: [[Double]]

    /// Columns whose digits are counted at once take up to so many bytes for each thread; all threads so many.
    private static let bytesEach = 32 << 20
    private static let bytesOfAll = 512 << 20

    /// The quantiles `parts` of `whole`, such as 1 ... 3 of 4, of the dataset's columns `places`, or all, over the rows for
    /// which `isCounted` says so. Each of several ranks reads a part, and all get the whole.
    init(
        _ dataset: Dataset, _ parts: ClosedRange<Int>, of whole: Int, places: [Int]? = nil,
        isCounted: @escaping @Sendable (Int) -> Bool, ranks: Ranks
    ) throws {
        // Each lies at a number or between two.
        let most = 2 * parts.count
        let width = places?.count ?? dataset.features
        var columns = [Column](repeating: Column(parts: parts, whole: whole), count: width)
        var (behind, used) = (64, UInt64.max)
        // Trailing bits that are 0 in every number need no pass. Numbers that came from Float32 have at most 35 other
        // bits.
        while behind > used.trailingZeroBitCount {
            let bits = min(behind, Self.digit(width * most, ranks))
            behind -= bits
            let empty = { @Sendable [columns, behind] in
                DigitCounts(columns.map(\.beginnings), most, places, shift: behind, bits: bits)
            }
            let counts = try Self.count(empty, bytes: width * most * 8 << bits, dataset, isCounted, ranks)
            if behind + bits == 64 { used = counts.used }
            let isWhole = columns.indices.allSatisfy { columns[$0].follow(counts, $0) }
            guard isWhole else {
                try dataset.checkUnchanged()
                throw TreadleError(
                    .badData,
                    "\(dataset.files[0].path): its numbers changed while they were read; let its writer finish first")
            }
        }
        values = columns.map { $0.quantiles(behind) }
    }

    /// The bits of a digit: 12 take the sign and the exponent at once.
    private static func digit(_ counters: Int, _ ranks: Ranks) -> Int {
        (4...12).last { counters * 8 << $0 <= bytesEach / ranks.count } ?? 4
    }

    /// Counts the rows' next digits; `empty` makes counters, which take so many bytes.
    private static func count(
        _ empty: @escaping @Sendable () -> DigitCounts, bytes: Int, _ dataset: Dataset,
        _ isCounted: @escaping @Sendable (Int) -> Bool, _ ranks: Ranks
    ) throws -> DigitCounts {
        var settings = dataset.settings
        settings.workers = Workers(count: max(1, min(settings.workers.count, bytesOfAll / bytes)))
        // One for each thread that counts at the same time, found again by the next block.
        let idle = Mutex<[DigitCounts]>([])
        let range = dataset.range
        let own = ranks.part(of: range.count)
        let rows = range.lowerBound + own.lowerBound..<range.lowerBound + own.upperBound
        try RowSweep(settings).run(rows, block: dataset.x.block(of: DatasetScan.blockRows)) { _, rows, scratch in
            let counts = idle.withLock { $0.popLast() } ?? empty()
            defer { idle.withLock { $0.append(counts) } }
            unsafe try dataset.x.forEachRow(rows, scratch) { row, values, _, _, _ in
                if isCounted(row) { unsafe counts.add(values) }
            }
        }
        let all = idle.withLock { $0 }
        let sum = all.first ?? empty()
        for other in all.dropFirst() { sum.add(other) }
        if !ranks.isAlone { try sum.join(ranks) }
        return sum
    }

    /// What is known of one column's quantiles.
    private struct Column {
        let parts: ClosedRange<Int>
        let whole: Int
        /// The beginnings of the numbers that matter, each once.
        var beginnings: [UInt64] = [0]
        /// The numbers next to each quantile: which beginning each has, and how many of the same beginning are below.
        private var neighbours: [(beginning: UInt64, below: UInt64)] = []
        /// How far on the way from the one neighbour to the next each quantile lies, in parts of the whole.
        private var rests: [Int] = []

        init(parts: ClosedRange<Int>, whole: Int) {
            self.parts = parts
            self.whole = whole
        }

        /// Learns one more digit. Returns whether the numbers are those that were counted before: a file that was written to
        /// between two passes has others.
        mutating func follow(_ counts: DigitCounts, _ column: Int) -> Bool {
            if neighbours.isEmpty {
                let count = counts.total(column)
                guard count > 0 else { return true }
                for part in parts {
                    let (place, rest) = ((count - 1) * UInt64(part)).quotientAndRemainder(dividingBy: UInt64(whole))
                    rests.append(Int(rest))
                    neighbours.append((0, place))
                    neighbours.append((0, min(place + 1, count - 1)))
                }
            }
            for index in neighbours.indices {
                let (beginning, below) = neighbours[index]
                guard let place = beginnings.firstIndex(of: beginning) else { continue }
                guard let (digit, rest) = counts.find(below, column, place) else { return false }
                neighbours[index] = (beginning << UInt64(counts.bits) | UInt64(digit), rest)
            }
            beginnings = Set(neighbours.map(\.beginning)).sorted()
            return true
        }

        /// All of them, when the last `behind` bits of all numbers are 0.
        func quantiles(_ behind: Int) -> [Double] {
            guard !neighbours.isEmpty else { return parts.map { _ in 0 } }
            return rests.indices.map { index in
                let a = Self.number(neighbours[2 * index].beginning, behind)
                let b = Self.number(neighbours[2 * index + 1].beginning, behind)
                let share = Double(rests[index]) / Double(whole)
                // From the nearer side, as NumPy does.
                return share >= 0.5 ? b - (b - a) * (1 - share) : a + (b - a) * share
            }
        }

        private static func number(_ beginning: UInt64, _ behind: Int) -> Double {
            let key = beginning << UInt64(behind)
            guard key >> 63 == 0 else { return Double(bitPattern: key ^ 1 << 63) }
            return Double(bitPattern: ~key & ~((1 << UInt64(behind)) &- 1))
        }
    }
}

/// How many numbers of each column go on with each digit after a wanted beginning; one thread's at a time.
@safe private final class DigitCounts: @unchecked Sendable {
    let bits: Int
    private let most: Int
    private let width: Int
    private let taken: AlignedMemory<Int>
    private let beginnings: AlignedMemory<UInt64>
    private let counts: AlignedMemory<UInt64>
    private let bitsUsed = AlignedMemory<UInt64>(count: 1)
    private let digits: cd_digits
    /// Where the columns stand in a row, and memory for their numbers alone; empty where they are the row.
    private let places: [Int]
    private let picked: AlignedMemory<Double>

    init(_ wanted: [[UInt64]], _ most: Int, _ places: [Int]?, shift: Int, bits: Int) {
        self.places = places ?? []
        picked = AlignedMemory(count: self.places.count)
        self.bits = bits
        self.most = most
        width = wanted.count
        taken = AlignedMemory(wanted.map(\.count))
        beginnings = AlignedMemory(wanted.flatMap { $0 + [UInt64](repeating: 0, count: most - $0.count) })
        counts = AlignedMemory(count: width * most << bits)
        unsafe digits = unsafe cd_digits(
            shift: UInt32(shift), bits: UInt32(bits), most: most, taken: taken.start, beginnings: beginnings.start,
            counts: counts.start, used: bitsUsed.start)
    }

    func add(_ row: UnsafePointer<Double>) {
        for (index, place) in places.enumerated() { unsafe picked.start[index] = row[place] }
        let numbers = unsafe places.isEmpty ? row : UnsafePointer(picked.start)
        unsafe withUnsafePointer(to: digits) { unsafe cd_count_digits(numbers, width, $0) }
    }

    func add(_ other: DigitCounts) {
        for place in 0..<width * most << bits { unsafe counts.start[place] += other.counts.start[place] }
        unsafe bitsUsed.start[0] |= other.used
    }

    /// Puts the counts of all ranks together, for each of them. Doubles hold them exactly.
    func join(_ ranks: Ranks) throws {
        let own = (0..<width * most << bits).map { unsafe Double(counts.start[$0]) }
        let halves = [Double(used >> 32), Double(used & 0xffff_ffff)]
        for (rank, theirs) in try ranks.gatherMany(own + halves).enumerated() where rank != ranks.index {
            for place in own.indices { unsafe counts.start[place] += UInt64(theirs[place]) }
            unsafe bitsUsed.start[0] |= UInt64(theirs[own.count]) << 32 | UInt64(theirs[own.count + 1])
        }
    }

    /// All bits that are set in some number.
    var used: UInt64 { unsafe bitsUsed.start[0] }

    /// All numbers of a column, before any beginning is known.
    func total(_ column: Int) -> UInt64 {
        (0..<1 << bits).reduce(0) { unsafe $0 + counts.start[(column * most) << bits + $1] }
    }

    /// The digit of the number that has `below` others of its beginning below it, and how many of the same digit those are;
    /// nil where there are no more than `below`.
    func find(_ below: UInt64, _ column: Int, _ place: Int) -> (digit: Int, below: UInt64)? {
        var rest = below
        let first = (column * most + place) << bits
        for digit in 0..<1 << bits {
            let count = unsafe counts.start[first + digit]
            if rest < count { return (digit, rest) }
            rest -= count
        }
        return nil
    }
}
