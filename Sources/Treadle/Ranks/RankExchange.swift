internal import CKernels
internal import CMPIShims

/// A gradient's way between ranks: every tile has an owner, which sums all ranks' shares of it, updates it, and hands the
/// weights to all.
///
/// Tiles are cut into buckets, and each bucket among the ranks: while one bucket travels, the next is computed. Shares meet
/// in the tree that continues the shards' own: a rank's share is a subtree of it, so the number of ranks changes no bit.
@safe final class RankExchange<S: Scalar> {
    /// Consecutive tiles that travel together, and where each rank's part of them begins.
    struct Bucket {
        var tiles: Range<Int>
        /// The tiles by owner.
        var parts: [Range<Int>]
        /// In bytes: what each owner's tiles take, and where they begin in a buffer of all tiles.
        var counts: [Int32]
        var starts: [Int32]
        /// Where the bucket begins in a buffer of all tiles, and this rank's part in a buffer of its own tiles.
        var offset: Int
        var ownOffset: Int
    }

    private struct Piece {
        var start: Int
        var count: Int
    }

    let ranks: Ranks
    private(set) var buckets: [Bucket] = []
    private let pieces: [[Piece]]
    /// All tiles, packed in their order: what this rank sends.
    private let sent: AlignedMemory<S>
    /// For each bucket, all ranks' shares of this rank's part, one after the other.
    private let received: AlignedMemory<S>
    /// The sums of this rank's tiles over the batches of a group.
    private let sums: AlignedMemory<S>
    private var requests: [cmpi_request?] = []

    init(_ ranks: Ranks, tiles: [ck_tile], layout: PackedLayout) {
        self.ranks = ranks
        pieces = tiles.map { Self.pieces(of: $0, layout) }
        let sizes = pieces.map { $0.reduce(0) { $0 + $1.count } }
        let number = MemoryLayout<S>.stride
        let run = max(128, 4 * ranks.count)
        var offset = 0
        var ownOffset = 0
        for from in stride(from: 0, to: tiles.count, by: run) {
            let all = from..<min(from + run, tiles.count)
            let parts = (0..<ranks.count).map { rank in
                from + rank * all.count / ranks.count..<from + (rank + 1) * all.count / ranks.count
            }
            let counts = parts.map { sizes[$0].reduce(0, +) }
            let starts = counts.indices.map { counts[..<$0].reduce(0, +) }
            buckets.append(
                Bucket(
                    tiles: all, parts: parts, counts: counts.map { Int32($0 * number) },
                    starts: starts.map { Int32($0 * number) }, offset: offset, ownOffset: ownOffset))
            offset += sizes[all].reduce(0, +)
            ownOffset += counts[ranks.index]
        }
        sent = AlignedMemory(count: offset)
        received = AlignedMemory(count: ownOffset * ranks.count)
        sums = AlignedMemory(count: ownOffset)
    }

    /// The runs of numbers of a tile, and of the bias that belongs to it, in anything shaped like the parameters.
    private static func pieces(of tile: ck_tile, _ layout: PackedLayout) -> [Piece] {
        let entry = layout.entries[Int(tile.layer)]
        let (panel, width) = (Int(tile.panel), entry.panel)
        var pieces: [Piece] = []
        if entry.isNarrow {
            let count = (tile.to - tile.from + width - 1) / width * width
            for unit in 0..<entry.units {
                pieces.append(Piece(start: entry.weightStart + unit * entry.paddedInputs + tile.from, count: count))
            }
        } else {
            pieces.append(
                Piece(
                    start: entry.weightStart + (panel * entry.inputs + tile.from) * width,
                    count: (tile.to - tile.from) * width))
        }
        if tile.from == 0, let bias = entry.biasStart {
            pieces.append(Piece(start: bias + panel * width, count: width))
        }
        return pieces
    }

    /// The tiles that this rank owns.
    var ownTiles: [Int] { buckets.flatMap { $0.parts[ranks.index] } }

    /// The places, in anything shaped like the parameters, that this rank owns: in rising order.
    var ownRanges: [Range<Int>] {
        ownTiles.flatMap { pieces[$0] }.map { $0.start..<$0.start + $0.count }.sorted { $0.lowerBound < $1.lowerBound }
    }

    // MARK: sums

    /// A whole batch's sums from this rank's; the ranks' wishes travel with them.
    func sum(_ own: StepResult) -> StepResult {
        let all = ranks.gather([own.lossSum, own.weightSum, Double(ranks.wishes.rawValue)])
        ranks.agreed = RankWishes(rawValue: all.reduce(0) { $0 | UInt8($1[2]) })
        return StepResult(
            lossSum: ShardTree.sum(all.map { $0[0] }), weightSum: ShardTree.sum(all.map { $0[1] }))
    }

    /// Begins to send a bucket of this rank's gradient sums.
    func send(_ bucket: Bucket, of gradient: PackedParameters<S>) {
        let own = Int(bucket.counts[ranks.index])
        let source = unsafe sent.start + bucket.offset
        let target = unsafe received.start + bucket.ownOffset * ranks.count
        unsafe pack(bucket.tiles, of: gradient, into: source)
        let counts = [Int32](repeating: Int32(own), count: ranks.count)
        let starts = (0..<ranks.count).map { Int32($0 * own) }
        requests.append(
            ranks.begin { request in
                unsafe cmpi_all_to_all(source, bucket.counts, bucket.starts, target, counts, starts, &request)
            })
        ranks.proceed(&requests)
    }

    /// Waits for all buckets and sums them, after what the group's earlier batches gave where there are any.
    func receive(adds: Bool) {
        for (number, bucket) in buckets.enumerated() {
            ranks.finish(&requests[number])
            let count = Int(bucket.counts[ranks.index]) / MemoryLayout<S>.stride
            let shares = unsafe received.start + bucket.ownOffset * ranks.count
            let last = unsafe sumShares(shares, count)
            let target = unsafe sums.start + bucket.ownOffset
            if adds { unsafe Self.add(last, to: target, count) } else { unsafe target.update(from: last, count: count) }
        }
        requests = []
    }

    /// Puts the sums of this rank's tiles where the update reads them.
    func putSums(into gradient: PackedParameters<S>) {
        for bucket in buckets {
            unsafe unpack(bucket.parts[ranks.index], from: sums.start + bucket.ownOffset, into: gradient)
        }
    }

    /// The shares, `count` numbers apart, summed by the tree that goes on from the shards'; the sum takes the last's place.
    private func sumShares(_ shares: UnsafeMutablePointer<S>, _ count: Int) -> UnsafeMutablePointer<S> {
        ShardTree.walk(ranks.count) { from, into in
            unsafe Self.add(shares + from * count, to: shares + into * count, count)
        }
        return unsafe shares + (ranks.count - 1) * count
    }

    private static func add(_ source: UnsafeMutablePointer<S>, to target: UnsafeMutablePointer<S>, _ count: Int) {
        switch S.precision {
        case .float32:
            unsafe cmpi_add_floats(
                UnsafeMutableRawPointer(target).assumingMemoryBound(to: Float.self),
                UnsafeMutableRawPointer(source).assumingMemoryBound(to: Float.self), count)
        case .float64:
            unsafe cmpi_add_doubles(
                UnsafeMutableRawPointer(target).assumingMemoryBound(to: Double.self),
                UnsafeMutableRawPointer(source).assumingMemoryBound(to: Double.self), count)
        }
    }

    // MARK: owners

    /// Fills in the other owners' numbers, one for each tile.
    func gather(_ values: UnsafeMutablePointer<Double>) {
        let owned = (0..<ranks.count).map { rank in buckets.flatMap { $0.parts[rank] } }
        let width = owned.map(\.count).max() ?? 0
        var own = owned[ranks.index].map { unsafe values[$0] }
        own.append(contentsOf: [Double](repeating: 0, count: width - own.count))
        for (tiles, theirs) in zip(owned, ranks.gather(own)) {
            for (tile, value) in zip(tiles, theirs) { unsafe values[tile] = value }
        }
    }

    /// Begins to hand this rank's part of a bucket to all.
    func spread(_ bucket: Bucket, of parameters: PackedParameters<S>) {
        let buffer = unsafe sent.start + bucket.offset
        let own = Int(bucket.starts[ranks.index]) / MemoryLayout<S>.stride
        unsafe pack(bucket.parts[ranks.index], of: parameters, into: buffer + own)
        requests.append(
            ranks.begin { request in unsafe cmpi_all_gather(buffer, bucket.counts, bucket.starts, &request) })
        ranks.proceed(&requests)
    }

    /// Waits for the other owners' parts of all buckets and takes them over.
    func takeSpread(into parameters: PackedParameters<S>) {
        for (number, bucket) in buckets.enumerated() {
            ranks.finish(&requests[number])
            unsafe unpack(bucket.tiles, from: sent.start + bucket.offset, into: parameters)
        }
        requests = []
    }

    /// Brings all owners' parts of `parameters` to the first rank.
    func bringToFirst(_ parameters: PackedParameters<S>) {
        for bucket in buckets {
            let buffer = unsafe sent.start + bucket.offset
            let own = Int(bucket.starts[ranks.index]) / MemoryLayout<S>.stride
            unsafe pack(bucket.parts[ranks.index], of: parameters, into: buffer + own)
            ranks.run { request in unsafe cmpi_gather(buffer, bucket.counts, bucket.starts, &request) }
            if ranks.isFirst { unsafe unpack(bucket.tiles, from: buffer, into: parameters) }
        }
    }

    // MARK: copies

    private func pack(_ tiles: Range<Int>, of source: PackedParameters<S>, into target: UnsafeMutablePointer<S>) {
        var next = unsafe target
        for piece in pieces[tiles].joined() {
            unsafe next.update(from: source.start + piece.start, count: piece.count)
            unsafe next += piece.count
        }
    }

    private func unpack(_ tiles: Range<Int>, from source: UnsafeMutablePointer<S>, into target: PackedParameters<S>) {
        var next = unsafe source
        for piece in pieces[tiles].joined() {
            unsafe (target.start + piece.start).update(from: next, count: piece.count)
            unsafe next += piece.count
        }
    }
}

/// The fixed tree by which shards, and the ranks that hold them, are summed.
enum ShardTree {
    /// Tells which sums to add to which, in order; the last of `count` becomes the sum of all.
    ///
    /// Terms meet as digits of a binary counter: term t adds the levels below its trailing ones and becomes the level
    /// after them, so that 8 gives ((0+1)+(2+3))+((4+5)+(6+7)); the last adds all levels that there are.
    static func walk(_ count: Int, _ add: (_ from: Int, _ into: Int) -> Void) {
        var levels = [Int](repeating: 0, count: Int.bitWidth)
        for term in 0..<count {
            var left = term + 1 == count ? term : term & ~(term + 1)
            while left != 0 {
                add(levels[left.trailingZeroBitCount], term)
                left &= left - 1
            }
            levels[(~term).trailingZeroBitCount] = term
        }
    }

    static func sum(_ terms: [Double]) -> Double {
        var terms = terms
        walk(terms.count) { terms[$1] += terms[$0] }
        return terms.last ?? 0
    }
}
