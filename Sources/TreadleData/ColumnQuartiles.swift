internal import CDecode
internal import Synchronization
internal import TreadleBase

/// The quartiles of each column over some rows, exactly as NumPy's `quantile` has them: a number of the column, or a point
/// between two neighbours.
///
/// Nothing is sorted or kept: passes over the rows count by how each number goes on, digit by digit from the top of its 64
/// bits, until the few numbers that matter are known whole. So memory does not grow with the rows, and neither their order
/// nor how they are stored or shared out changes a bit.
struct ColumnQuartiles {
    /// One entry a column; 0 for a column without a finite value.
    let low, median, high: [Double]

    /// Columns whose digits are counted at once take up to so many bytes for each thread; all threads so many.
    private static let bytesEach = 32 << 20
    private static let bytesOfAll = 512 << 20
    /// Each of three quartiles lies at a number or between two.
    private static let most = 6

    /// Of the rows of `dataset` for which `isCounted` says so. Each of several ranks reads a part, and all get the whole.
    init(_ dataset: Dataset, isCounted: @escaping @Sendable (Int) -> Bool, ranks: Ranks) throws {
        let width = dataset.features
        var columns = [Column](repeating: Column(), count: width)
        var (behind, used) = (64, UInt64.max)
        // What no number has bits for is known already: that of Float32, stored as such or not, has 35 at most.
        while behind > used.trailingZeroBitCount {
            let bits = min(behind, Self.digit(width, ranks))
            behind -= bits
            let counts = try Self.count(columns, dataset, isCounted, shift: behind, bits: bits, ranks)
            if behind + bits == 64 { used = counts.used }
            for column in columns.indices { columns[column].follow(counts, column) }
        }
        let quartiles = columns.map { $0.quartiles(behind) }
        low = quartiles.map { $0[0] }
        median = quartiles.map { $0[1] }
        high = quartiles.map { $0[2] }
    }

    /// The bits of a digit: 12 take the sign and the exponent at once.
    private static func digit(_ width: Int, _ ranks: Ranks) -> Int {
        (4...12).last { width * most * 8 << $0 <= bytesEach / ranks.count } ?? 4
    }

    private static func count(
        _ columns: [Column], _ dataset: Dataset, _ isCounted: @escaping @Sendable (Int) -> Bool, shift: Int, bits: Int,
        _ ranks: Ranks
    ) throws -> DigitCounts {
        let size = columns.count * most * 8 << bits
        var settings = dataset.settings
        settings.workers = Workers(count: max(1, min(settings.workers.count, bytesOfAll / size)))
        // One for each thread that counts at the same time, found again by the next block.
        let idle = Mutex<[DigitCounts]>([])
        let range = dataset.range
        let own = ranks.part(of: range.count)
        let rows = range.lowerBound + own.lowerBound..<range.lowerBound + own.upperBound
        try RowSweep(settings).run(rows, block: dataset.x.block(of: DatasetScan.blockRows)) { _, rows, scratch in
            let counts =
                idle.withLock { $0.popLast() } ?? DigitCounts(columns.map(\.beginnings), most, shift: shift, bits: bits)
            defer { idle.withLock { $0.append(counts) } }
            unsafe try dataset.x.forEachRow(rows, scratch) { row, values, _, _, _ in
                if isCounted(row) { unsafe counts.add(values) }
            }
        }
        let all = idle.withLock { $0 }
        let sum = all.first ?? DigitCounts(columns.map(\.beginnings), most, shift: shift, bits: bits)
        for other in all.dropFirst() { sum.add(other) }
        if !ranks.isAlone { try sum.join(ranks) }
        return sum
    }

    /// What is known of one column's quartiles.
    private struct Column {
        /// The beginnings of the numbers that matter, each once.
        var beginnings: [UInt64] = [0]
        /// The numbers next to each quartile: which beginning each has, and how many of the same beginning are below.
        private var neighbours: [(beginning: UInt64, below: UInt64)] = []
        /// How many quarters of the way from the one neighbour to the next each quartile lies.
        private var quarters: [Int] = []

        /// Learns one more digit.
        mutating func follow(_ counts: DigitCounts, _ column: Int) {
            if neighbours.isEmpty {
                let count = counts.total(column)
                guard count > 0 else { return }
                for quartile in 1...3 {
                    let (place, rest) = ((count - 1) * UInt64(quartile)).quotientAndRemainder(dividingBy: 4)
                    quarters.append(Int(rest))
                    neighbours.append((0, place))
                    neighbours.append((0, min(place + 1, count - 1)))
                }
            }
            for index in neighbours.indices {
                let (beginning, below) = neighbours[index]
                guard let place = beginnings.firstIndex(of: beginning) else { continue }
                let (digit, rest) = counts.find(below, column, place)
                neighbours[index] = (beginning << UInt64(counts.bits) | UInt64(digit), rest)
            }
            beginnings = Set(neighbours.map(\.beginning)).sorted()
        }

        /// The three, when the last `behind` bits of all numbers are 0.
        func quartiles(_ behind: Int) -> [Double] {
            guard !neighbours.isEmpty else { return [0, 0, 0] }
            return (0..<3).map { quartile in
                let a = Self.number(neighbours[2 * quartile].beginning, behind)
                let b = Self.number(neighbours[2 * quartile + 1].beginning, behind)
                let share = Double(quarters[quartile]) / 4
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

    init(_ wanted: [[UInt64]], _ most: Int, shift: Int, bits: Int) {
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
        unsafe withUnsafePointer(to: digits) { unsafe cd_count_digits(row, width, $0) }
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

    /// The digit of the number that has `below` others of its beginning below it, and how many of the same digit those are.
    func find(_ below: UInt64, _ column: Int, _ place: Int) -> (digit: Int, below: UInt64) {
        var rest = below
        let first = (column * most + place) << bits
        for digit in 0..<1 << bits {
            let count = unsafe counts.start[first + digit]
            if rest < count { return (digit, rest) }
            rest -= count
        }
        preconditionFailure("a number of this beginning was counted before")
    }
}
