internal import CKernels
internal import CMPIShims
internal import TreadleBase
internal import TreadleModel

/// A gradient's way between ranks: every tile has an owner, which sums all ranks' shares of it, updates it, and hands the
/// weights to all.
///
/// Tiles are cut into buckets, and each bucket among the ranks: while one bucket travels, the next is computed. A rank's
/// shares are the sums of the whole subtrees among its shards; they meet in the tree that the shards' sums go on with, so
/// the number of ranks changes no bit.
@safe final class RankExchange<S: Scalar>: GradientExchange {
    /// Consecutive tiles that travel together, and where each rank's part of them begins.
    private struct Bucket {
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

    private let ranks: Ranks
    private var buckets: [Bucket] = []
    /// The subtrees of this rank's shards, counted from its first one: of each it sends the sum.
    private let subtrees: [Range<Int>]
    /// For each rank, where its shares begin among all; and how many there are.
    private let firstShares: [Int]
    private let shareCount: Int
    /// The most shares that a rank has.
    private let mostShares: Int
    /// In which order the shares are added; the sum of all is in the last one's place.
    private let additions: Additions
    private let pieces: [[Piece]]
    /// For each bucket, this rank's shares of each owner's part, one after the other.
    private let sent: AlignedMemory<S>
    /// For each bucket, all ranks' shares of this rank's part, one after the other.
    private let received: AlignedMemory<S>
    /// The sums of this rank's tiles over the batches of a group.
    private let sums: AlignedMemory<S>
    /// What is under way: by bucket, on the way out and on the way back; and this batch's losses.
    private var sending: [cmpi_request?] = []
    private var spreading: [cmpi_request?] = []
    private var telling: Gathering?
    /// Buckets whose sums are in the gradient already.
    private var collected = 0

    init(_ ranks: Ranks, shards: Shards, tiles: [ck_tile], layout: PackedLayout) {
        self.ranks = ranks
        let shares = (0..<ranks.count).map { rank in
            var tree = SumTree<Additions>()
            for shard in ranks.part(of: shards.count, at: rank) {
                tree.append(Additions(place: 0), of: shard..<shard + 1)
            }
            return tree.subtrees.map(\.terms)
        }
        let first = shards.own.lowerBound
        subtrees = shares[ranks.index].map { $0.lowerBound - first..<$0.upperBound - first }
        firstShares = shares.indices.map { rank in shares[..<rank].reduce(0) { $0 + $1.count } }
        var tree = SumTree<Additions>()
        for (place, terms) in shares.joined().enumerated() { tree.append(Additions(place: place), of: terms) }
        additions = tree.total ?? Additions(place: 0)
        shareCount = additions.place + 1
        mostShares = shares.map(\.count).max() ?? 0
        pieces = tiles.map { Self.pieces(of: $0, layout) }
        let sizes = pieces.map { $0.reduce(0) { $0 + $1.count } }
        let number = MemoryLayout<S>.stride
        // Eight buckets or more, so that most of them travel while others are computed; of half a megabyte at least, where
        // latency is little of a message's time, and of 4 at most.
        let run = max(4 * ranks.count, min(128, max(16, tiles.count / 8)))
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
        sent = AlignedMemory(count: offset * subtrees.count)
        received = AlignedMemory(count: ownOffset * shareCount)
        sums = AlignedMemory(count: ownOffset)
    }

    /// The runs of numbers of a tile, and of the bias that belongs to it, in anything shaped like the parameters.
    private static func pieces(of tile: ck_tile, _ layout: PackedLayout) -> [Piece] {
        let entry = layout.entries[Int(tile.layer)]
        let (panel, width) = (Int(tile.panel), entry.panel)
        var pieces: [Piece] = []
        if entry.isStem {
            pieces.append(Piece(start: entry.weightStart + tile.from, count: tile.to - tile.from))
            if tile.from == 0, let bias = entry.biasStart {
                pieces.append(Piece(start: bias, count: entry.paddedUnits))
            }
            return pieces
        }
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

    var ownTiles: [Int] { buckets.flatMap { $0.parts[ranks.index] } }

    /// The places, in anything shaped like the parameters, that this rank owns: in rising order.
    private var ownRanges: [Range<Int>] {
        ownTiles.flatMap { pieces[$0] }.map { $0.start..<$0.start + $0.count }.sorted { $0.lowerBound < $1.lowerBound }
    }

    // MARK: the exchange

    var takesOthersWeights: Bool { true }

    func sum(over source: some GradientSource<S>, adds: Bool) -> StepResult {
        tell(subtrees.map { source.rowSums(of: $0) })
        for bucket in buckets {
            for (number, subtree) in subtrees.enumerated() {
                // The group's earlier batches are added when this one's shares have met, as in one process.
                let gradient = source.sumTiles(bucket.tiles, of: subtree, adds: false)
                pack(bucket, subtree: number, of: gradient)
            }
            send(bucket)
        }
        collected = 0
        return hear()
    }

    func keepSums(adds: Bool) {
        for bucket in buckets.indices { receive(bucket, adds: adds) }
    }

    func collectSums(into gradient: PackedParameters<S>?, adds: Bool) {
        guard let gradient else { return }
        while collected < buckets.count { collectBucket(into: gradient, adds: adds) }
    }

    private func collectBucket(into gradient: PackedParameters<S>, adds: Bool) {
        receive(collected, adds: adds)
        putSums(collected, into: gradient)
        collected += 1
    }

    func update(
        _ parameters: PackedParameters<S>, from gradient: PackedParameters<S>, adds: Bool, apply: (Range<Int>) -> Void
    ) {
        for (number, bucket) in buckets.enumerated() {
            // Where nothing needed all sums first, buckets are updated as they come in.
            if number == collected { collectBucket(into: gradient, adds: adds) }
            apply(bucket.parts[ranks.index])
            spread(bucket, of: parameters)
        }
        takeSpread(into: parameters)
    }

    func keepOwn(of values: PackedParameters<S>) { values.release(except: ownRanges) }

    // MARK: sums

    /// Begins to tell this rank's sums of losses and weights, by subtree; the ranks' wishes travel with them.
    private func tell(_ own: [StepResult]) {
        telling = ranks.tell(own.numbers(padded: mostShares))
    }

    /// The whole batch's sums, once all ranks have told theirs.
    private func hear() -> StepResult {
        guard let all = telling.map({ ranks.hear($0) }) else { return StepResult(lossSum: 0, weightSum: 0) }
        telling = nil
        var terms = all.enumerated().flatMap { rank, numbers in
            let end = rank + 1 < ranks.count ? firstShares[rank + 1] : shareCount
            return [StepResult](numbers, count: end - firstShares[rank])
        }
        for step in additions.steps {
            terms[step.into].lossSum += terms[step.from].lossSum
            terms[step.into].weightSum += terms[step.from].weightSum
        }
        return terms[shareCount - 1]
    }

    /// Packs a subtree's gradient sums of a bucket.
    private func pack(_ bucket: Bucket, subtree: Int, of gradient: PackedParameters<S>) {
        let size = MemoryLayout<S>.stride
        for (rank, tiles) in bucket.parts.enumerated() {
            let (start, count) = (Int(bucket.starts[rank]) / size, Int(bucket.counts[rank]) / size)
            let place = (bucket.offset + start) * subtrees.count + subtree * count
            unsafe pack(tiles, of: gradient, into: sent.start + place)
        }
    }

    /// Begins to send a bucket whose sums are packed.
    private func send(_ bucket: Bucket) {
        let shares = Int32(subtrees.count)
        let own = Int(bucket.counts[ranks.index])
        let source = unsafe sent.start + bucket.offset * subtrees.count
        let target = unsafe received.start + bucket.ownOffset * shareCount
        let starts = firstShares.map { Int32($0 * own) }
        let ends = starts.dropFirst() + [Int32(shareCount * own)]
        let counts = zip(starts, ends).map { $1 - $0 }
        sending.append(
            ranks.begin { request in
                unsafe ranks.messages.allToAll(
                    source, bucket.counts.map { $0 * shares }, bucket.starts.map { $0 * shares }, target, counts,
                    starts,
                    &request)
            })
        proceed()
    }

    /// Lets go on what is under way: MPI moves only while it is called. For the thread that calls all the rest.
    func proceed() {
        // All of it goes on, whichever is asked after.
        if let waiting = sending.lastIndex(where: { $0 != nil }) {
            ranks.proceed(&sending[waiting])
        } else if let waiting = spreading.lastIndex(where: { $0 != nil }) {
            ranks.proceed(&spreading[waiting])
        }
    }

    /// Waits for a bucket and sums it, after what the group's earlier batches gave where there are any.
    private func receive(_ number: Int, adds: Bool) {
        let bucket = buckets[number]
        ranks.finish(&sending[number])
        let count = Int(bucket.counts[ranks.index]) / MemoryLayout<S>.stride
        let shares = unsafe received.start + bucket.ownOffset * shareCount
        for step in additions.steps {
            unsafe Self.add(shares + step.from * count, to: shares + step.into * count, count)
        }
        let last = unsafe shares + (shareCount - 1) * count
        let target = unsafe sums.start + bucket.ownOffset
        if adds { unsafe Self.add(last, to: target, count) } else { unsafe target.update(from: last, count: count) }
        if number + 1 == buckets.count { sending = [] }
    }

    /// Puts the sums of this rank's tiles of a bucket where the update reads them.
    private func putSums(_ number: Int, into gradient: PackedParameters<S>) {
        let bucket = buckets[number]
        unsafe unpack(bucket.parts[ranks.index], from: sums.start + bucket.ownOffset, into: gradient)
    }

    private static func add(_ source: UnsafeMutablePointer<S>, to target: UnsafeMutablePointer<S>, _ count: Int) {
        switch S.number {
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
    private func spread(_ bucket: Bucket, of parameters: PackedParameters<S>) {
        // The shares of this bucket have been sent, so their buffer is free for the weights.
        let buffer = unsafe sent.start + bucket.offset * subtrees.count
        let own = Int(bucket.starts[ranks.index]) / MemoryLayout<S>.stride
        unsafe pack(bucket.parts[ranks.index], of: parameters, into: buffer + own)
        spreading.append(
            ranks.begin { request in unsafe ranks.messages.allGather(buffer, bucket.counts, bucket.starts, &request) })
        proceed()
    }

    /// Waits for the other owners' parts of all buckets and takes them over.
    private func takeSpread(into parameters: PackedParameters<S>) {
        for (number, bucket) in buckets.enumerated() {
            ranks.finish(&spreading[number])
            unsafe unpack(bucket.tiles, from: sent.start + bucket.offset * subtrees.count, into: parameters)
        }
        spreading = []
    }

    func bringToFirst(_ parameters: PackedParameters<S>) -> Bool {
        for bucket in buckets {
            let buffer = unsafe sent.start + bucket.offset
            let own = Int(bucket.starts[ranks.index]) / MemoryLayout<S>.stride
            unsafe pack(bucket.parts[ranks.index], of: parameters, into: buffer + own)
            ranks.run { request in unsafe ranks.messages.gather(buffer, bucket.counts, bucket.starts, &request) }
            if ranks.isFirst { unsafe unpack(bucket.tiles, from: buffer, into: parameters) }
        }
        return ranks.isFirst
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
