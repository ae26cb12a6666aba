internal import Foundation
internal import TreadleBase
internal import TreadleData

/// Batches from a loader whose values are only added up: what the loader can do by itself.
final class Reading {
    private let loader: BatchLoader<Float>
    private let values: Int

    /// `values` is how many numbers a row has.
    init(_ loader: BatchLoader<Float>, values: Int) {
        self.loader = loader
        self.values = values
    }

    func run(seconds wanted: Double) throws -> JSONValue {
        let start = Clock.wallTime()
        var (samples, elapsed) = (0, 0.0)
        var sum: UInt32 = 0
        repeat {
            if let batch = try unsafe loader.next() {
                for row in unsafe 0..<batch.rows { sum &+= unsafe total(batch.x[row]) }
                samples += unsafe batch.rows
            }
            elapsed = Clock.wallTime() - start
        } while elapsed < wanted
        // The sum is said, so that no compiler leaves the reading out.
        return [
            "samples": .integer(samples), "bytes": .integer(samples * values * MemoryLayout<Float>.stride),
            "seconds": .number(elapsed), "sum": .integer(Int(sum)), "peak_bytes": .integer(Memory.peakBytes),
        ]
    }

    /// The row's words added as integers: faster than memory gives them.
    private func total(_ row: UnsafePointer<Float>) -> UInt32 {
        let words = unsafe UnsafeRawPointer(row)
        let vectors = values / 64 * 4
        var sums = (SIMD16<UInt32>(), SIMD16<UInt32>(), SIMD16<UInt32>(), SIMD16<UInt32>())
        for vector in stride(from: 0, to: vectors, by: 4) {
            let place = unsafe words + vector * 64
            sums.0 &+= unsafe place.loadUnaligned(as: SIMD16<UInt32>.self)
            sums.1 &+= unsafe (place + 64).loadUnaligned(as: SIMD16<UInt32>.self)
            sums.2 &+= unsafe (place + 128).loadUnaligned(as: SIMD16<UInt32>.self)
            sums.3 &+= unsafe (place + 192).loadUnaligned(as: SIMD16<UInt32>.self)
        }
        var sum = (sums.0 &+ sums.1 &+ sums.2 &+ sums.3).wrappedSum()
        for index in vectors * 16..<values { sum &+= unsafe row[index].bitPattern }
        return sum
    }
}
