internal import TreadleBase

/// What a large image's SHA-256 has come to at some places on its way.
///
/// A SHA-256 is one chain, which one core computes. From each waypoint on another core can compute the next piece of it: when every
/// piece ends where the next begins, the chain is right. Writing gets the waypoints for nothing.
struct DigestWaypoints: Equatable, Sendable {
    /// In how many pieces an image is cut.
    static let pieces = 8
    /// Below this many bytes a second core would save less than a millisecond or two.
    static let smallestImage = 16 << 20

    /// After each piece but the last; empty for a small image.
    let states: [[UInt8]]

    /// Where the pieces of an image begin, from 0, and where the last ends.
    static func bounds(of length: Int, inOnePiece: Bool) -> [Int] {
        guard !inOnePiece else { return [0, length] }
        return (0..<pieces).map { length / pieces * $0 / 64 * 64 } + [length]
    }
}

/// The SHA-256 of an image while it is written, with its waypoints.
struct ImageDigest {
    private var hash = SHA256()
    private var count = 0
    /// Where waypoints are still to be passed.
    private var places: ArraySlice<Int>
    private var states: [[UInt8]] = []

    var digest: [UInt8] { hash.digest }
    var waypoints: DigestWaypoints { DigestWaypoints(states: states) }

    init(length: Int) {
        let isSmall = length < DigestWaypoints.smallestImage
        places = DigestWaypoints.bounds(of: length, inOnePiece: isSmall).dropFirst().dropLast()
    }

    mutating func add(_ bytes: RawSpan) {
        var start = 0
        while let place = places.first, place <= count + bytes.byteCount {
            hash.add(bytes.extracting(start..<place - count))
            start = place - count
            states.append(hash.state)
            places.removeFirst()
        }
        hash.add(bytes.extracting(start..<bytes.byteCount))
        count += bytes.byteCount
    }
}
