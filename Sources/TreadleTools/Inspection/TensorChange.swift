internal import TreadleBase
internal import TreadleModel
internal import TreadleRun

/// How far two arrays of the same shape are apart. Always the same bits, on any number of threads.
package struct TensorChange: Equatable, Sendable {
    package var name: String
    package var shape: [Int]
    /// The roots of the sums of squares.
    package var oldNorm: Double
    package var newNorm: Double
    package var changeNorm: Double
    /// The largest change of one number, and where it is.
    package var largest: Double
    package var place: [Int]
    /// The cosine of the angle between them: 1 for the same direction; nil where one has no length.
    package var cosine: Double?
    /// Numbers that are not the same.
    package var changed: Int

    /// What a part of both adds to the sums.
    fileprivate struct Part {
        var old = 0.0
        var new = 0.0
        var product = 0.0
        var squares = 0.0
        var largest = 0.0
        var index = 0
        var changed = 0
    }

    init(name: String, _ old: Tensor, _ new: Tensor, workers: Workers) {
        precondition(old.shape == new.shape, "only arrays of the same shape are compared number by number")
        let sum =
            switch (old.storage, new.storage) {
            case (.float32(let old), .float32(let new)): Self.sum(old, new, workers)
            case (.float64(let old), .float64(let new)): Self.sum(old, new, workers)
            case (.float32(let old), .float64(let new)): Self.sum(old.map(Double.init), new, workers)
            case (.float64(let old), .float32(let new)): Self.sum(old, new.map(Double.init), workers)
            }
        self.name = name
        shape = old.shape
        oldNorm = sum.old.squareRoot()
        newNorm = sum.new.squareRoot()
        changeNorm = sum.squares.squareRoot()
        largest = sum.largest
        place = old.position(of: sum.index)
        changed = sum.changed
        // Equal lengths need no roots, which would round: the cosine of an array and itself is exactly 1.
        let lengths = sum.old == sum.new ? sum.old : oldNorm * newNorm
        cosine = lengths > 0 ? max(-1, min(1, sum.product / lengths)) : nil
    }

    private static func sum<S: Scalar>(_ old: [S], _ new: [S], _ workers: Workers) -> Part {
        let blocks = (old.count + NumberSource.block - 1) / NumberSource.block
        let parts = unsafe old.withUnsafeBufferPointer { old in
            unsafe new.withUnsafeBufferPointer { new in
                workers.map(blocks) { block, _ in
                    var part = Part()
                    for index in block * NumberSource.block..<min((block + 1) * NumberSource.block, old.count) {
                        unsafe part.add(Double(old[index]), Double(new[index]), at: index)
                    }
                    return part
                }
            }
        }
        // In the order of blocks: the sums have the same bits every time.
        return parts.reduce(into: Part()) { $0.add($1) }
    }
}

extension TensorChange.Part {
    fileprivate mutating func add(_ a: Double, _ b: Double, at place: Int) {
        old += a * a
        new += b * b
        product += a * b
        guard a.bitPattern != b.bitPattern else { return }
        changed += 1
        let distance = abs(b - a)
        squares += distance * distance
        // What is no number is the largest change there is.
        if distance > largest || (distance.isNaN && !largest.isNaN) {
            largest = distance
            index = place
        }
    }

    fileprivate mutating func add(_ next: Self) {
        old += next.old
        new += next.new
        product += next.product
        squares += next.squares
        changed += next.changed
        if next.largest > largest || (next.largest.isNaN && !largest.isNaN) {
            largest = next.largest
            index = next.index
        }
    }
}
