internal import CMPIShims
internal import Foundation

/// Values between ranks: what is small, or rare.
extension Ranks {
    /// One rank's bytes at every rank; the others' must be as many.
    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int = 0) {
        guard !isAlone, let start = bytes.baseAddress else { return }
        // MPI counts in 32 bits.
        let piece = 1 << 28
        for offset in stride(from: 0, to: bytes.count, by: piece) {
            run { request in
                unsafe messages.broadcast(
                    start + offset, Int32(min(piece, bytes.count - offset)), Int32(rank), &request)
            }
        }
    }

    /// Every rank's `own` numbers, by rank.
    package func gather(_ own: [Double]) -> [[Double]] { finish(beginGathering(own)) }

    /// Begins to gather every rank's `own` numbers; `finish` waits until they are there.
    package func beginGathering(_ own: [Double]) -> Gathering {
        let gathering = Gathering(width: own.count, ranks: count)
        let all = unsafe gathering.numbers.start
        for (place, number) in own.enumerated() { unsafe all[index * own.count + place] = number }
        let size = Int32(own.count * MemoryLayout<Double>.stride)
        let counts = [Int32](repeating: size, count: count)
        let starts = (0..<Int32(count)).map { $0 * size }
        gathering.request = begin { request in unsafe messages.allGather(all, counts, starts, &request) }
        return gathering
    }

    package func finish(_ gathering: Gathering) -> [[Double]] {
        finish(&gathering.request)
        return (0..<count).map { rank in
            (0..<gathering.width).map { unsafe gathering.numbers.start[rank * gathering.width + $0] }
        }
    }

    /// Begins to tell every rank this one's numbers, as many as the others', and what it wishes with them.
    package func tell(_ own: [Double]) -> Gathering { beginGathering([Double(wishes.rawValue)] + own) }

    /// All ranks' numbers, by rank, once they have told them; what any of them wishes is agreed then.
    package func hear(_ telling: Gathering) -> [[Double]] {
        let all = finish(telling)
        agreed = RankWishes(rawValue: all.reduce(0) { $0 | UInt8($1[0]) })
        return all.map { Array($0.dropFirst()) }
    }

    /// Every rank's `own` numbers, by rank, which may be many, and of some ranks more than of others.
    package func gatherMany(_ own: [Double]) throws -> [[Double]] {
        guard !isAlone else { return [own] }
        let sizes = gather([Double(own.count)]).map { Int($0[0]) }
        try check()
        // MPI counts the bytes of all ranks in 32 bits.
        let piece = (1 << 27) / count
        var all = sizes.map { _ in [Double]() }
        for start in stride(from: 0, to: sizes.max() ?? 0, by: piece) {
            let lengths = sizes.map { max(0, min(piece, $0 - start)) }
            let places = lengths.indices.map { lengths[..<$0].reduce(0, +) }
            var numbers = [Double](repeating: 0, count: lengths.reduce(0, +))
            numbers.replaceSubrange(
                places[index]..<places[index] + lengths[index], with: own.dropFirst(start).prefix(lengths[index]))
            let size = MemoryLayout<Double>.stride
            let (counts, starts) = (lengths.map { Int32($0 * size) }, places.map { Int32($0 * size) })
            unsafe numbers.withUnsafeMutableBytes { bytes in
                run { request in unsafe messages.allGather(bytes.baseAddress, counts, starts, &request) }
            }
            try check()
            for rank in all.indices { all[rank] += numbers[places[rank]..<places[rank] + lengths[rank]] }
        }
        return all
    }

    /// Every rank's value, by rank.
    package func collect<Value: Codable>(_ own: Value) throws -> [Value] {
        let bytes = try Ranks.encoder.encode([own])
        let sizes = gather([Double(bytes.count)]).map { Int($0[0]) }
        try check()
        let starts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        var all = [UInt8](repeating: 0, count: sizes.reduce(0, +))
        all.replaceSubrange(starts[index]..<starts[index] + bytes.count, with: bytes)
        let (counts, places) = (sizes.map(Int32.init), starts.map(Int32.init))
        unsafe all.withUnsafeMutableBytes { bytes in
            run { request in unsafe messages.allGather(bytes.baseAddress, counts, places, &request) }
        }
        try check()
        return try zip(starts, sizes).map { start, size in
            try Ranks.decoded(all[start..<start + size])
        }
    }

    /// The first rank's value at every rank.
    package func share<Value: Codable>(_ own: Value) throws -> Value {
        guard !isAlone else { return own }
        var bytes = isFirst ? [UInt8](try Ranks.encoder.encode([own])) : []
        var size = bytes.count
        unsafe withUnsafeMutableBytes(of: &size) { unsafe broadcast($0) }
        try check()
        if !isFirst { bytes = [UInt8](repeating: 0, count: size) }
        unsafe bytes.withUnsafeMutableBytes { unsafe broadcast($0) }
        try check()
        return isFirst ? own : try Ranks.decoded(bytes[...])
    }

    /// What the first rank decides.
    package func decide(_ question: () throws -> Bool) throws -> Bool {
        try share(isFirst ? try question() : false)
    }

    /// The stop that any rank was asked for; every rank asks at the same places.
    package func agree(on stop: Stop) throws -> String? {
        guard !isAlone else { return stop.reason }
        let all = gather([Double(RankWishes(stop).rawValue)])
        try check()
        return RankWishes(rawValue: all.reduce(0) { $0 | UInt8($1[0]) }).stopReason
    }

    /// The tree of all ranks' terms, from the subtrees that each has; every rank gets it.
    package func join<Sum: TravellingSum>(_ own: SumTree<Sum>) throws -> SumTree<Sum> {
        guard !isAlone else { return own }
        let told = own.subtrees.flatMap { terms, sum in
            let numbers = sum.numbers
            return [Double(terms.lowerBound), Double(terms.upperBound), Double(numbers.count)] + numbers
        }
        var all = SumTree<Sum>()
        for theirs in try gatherMany(told) {
            var place = 0
            while place < theirs.count {
                let terms = Int(theirs[place])..<Int(theirs[place + 1])
                let end = place + 3 + Int(theirs[place + 2])
                all.append(Sum(numbers: Array(theirs[place + 3..<end])), of: terms)
                place = end
            }
        }
        return all
    }

    /// Tells, for those who look closely, how many rows each rank has read.
    package func note(_ deed: String, rows: Int, _ note: (LogLevel, String) -> Void) throws {
        guard !isAlone else { return }
        let shares = gather([Double(rows)]).map { Int($0[0]) }
        try check()
        let list = shares.map(String.init).joined(separator: " + ")
        note(.debug, "\(deed) \(shares.reduce(0, +)) rows, by rank: \(list)")
    }

    // Property lists keep every bit of a number, which JSON does not promise.
    private static var encoder: PropertyListEncoder {
        let encoder = PropertyListEncoder()
        encoder.outputFormat = .binary
        return encoder
    }

    private static func decoded<Value: Codable>(_ bytes: ArraySlice<UInt8>) throws -> Value {
        let values = try PropertyListDecoder().decode([Value].self, from: Data(bytes))
        guard let value = values.first else { throw TreadleError(.bug, "a rank sent no value") }
        return value
    }
}

/// Numbers on their way from all ranks to all.
package final class Gathering {
    fileprivate let width: Int
    fileprivate let numbers: AlignedMemory<Double>
    fileprivate var request: cmpi_request?

    fileprivate init(width: Int, ranks: Int) {
        self.width = width
        numbers = AlignedMemory(count: width * ranks)
    }
}

/// A sum that ranks can send to each other.
package protocol TravellingSum: Summable {
    init(numbers: [Double])
    var numbers: [Double] { get }
}
