internal import CKernels
internal import Synchronization
internal import TreadleBase

/// What a machine can do at most: the measure of everything else.
package struct MachineSpeed: Equatable, Sendable {
    package var threads: Int
    package var instructionSet: String
    /// Multiply-add operations a second, in billions, an addition and a multiplication for each lane.
    package var gigaflops: Double
    package var gigaflopsDouble: Double
    /// Bytes a second read from memory, in billions.
    package var bandwidth: Double
    /// Seconds that handing tasks to all threads and waiting for them takes.
    package var dispatchSeconds: Double

    /// Measures `threads` threads at once, for about a second.
    package static func measure(threads: Int) -> MachineSpeed {
        let workers = Workers(count: threads)
        return MachineSpeed(
            threads: threads, instructionSet: Treadle.instructionSet,
            gigaflops: operations(workers) { ck_multiply_adds_f32(20_000) } / 1e9,
            gigaflopsDouble: operations(workers) { ck_multiply_adds_f64(20_000) } / 1e9,
            bandwidth: readBandwidth(workers) / 1e9, dispatchSeconds: dispatch(workers))
    }

    /// Operations a second of all workers together: the best of several tries, for what disturbs only slows down.
    private static func operations(_ workers: Workers, _ round: @escaping @Sendable () -> Double) -> Double {
        best(of: 5) {
            var counts: [Double] = []
            let seconds = Stopwatch.time {
                counts = workers.map(workers.count) { _, _ in (0..<200).reduce(0) { sum, _ in sum + round() } }
            }
            return counts.reduce(0, +) / seconds
        }
    }

    /// Each worker reads its own part of memory that no cache holds.
    private static func readBandwidth(_ workers: Workers) -> Double {
        let lines = (512 << 20) / 64 / workers.count
        let memory = AlignedMemory<UInt8>(count: lines * 64 * workers.count)
        let sink = Atomic<UInt64>(0)
        return best(of: 4) {
            let seconds = Stopwatch.time {
                workers.forEach(workers.count) { part, _ in
                    let sum = unsafe ck_read_lines(lines, memory.start + part * lines * 64)
                    sink.add(sum, ordering: .relaxed)
                }
            }
            return Double(lines * 64 * workers.count) / seconds
        }
    }

    private static func dispatch(_ workers: Workers) -> Double {
        let turns = 2_000
        return 1
            / best(of: 5) {
                Double(turns) / Stopwatch.time { for _ in 0..<turns { workers.forEach(workers.count) { _, _ in } } }
            }
    }

    private static func best(of tries: Int, _ measure: () -> Double) -> Double {
        (0..<tries).map { _ in measure() }.max() ?? 0
    }
}

/// Seconds of wall time.
enum Stopwatch {
    static func time(_ work: () -> Void) -> Double { ContinuousClock().measure(work).seconds }
}
