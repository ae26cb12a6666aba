internal import CKernels
internal import Foundation
internal import TreadleBase
internal import TreadleData

@main struct Main {
    static func main() {
        do {
            try run()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run() throws {
        MappedFiles.allow()
        let arguments = CommandLine.arguments
        if arguments.count == 5, arguments[1] == "peer", let threads = Int(arguments[4]), threads >= 1 {
            return try PeerRun(path: arguments[2], weights: arguments[3], workers: Workers(count: threads)).serve()
        }
        if arguments.count == 5, arguments[1] == "predict", let threads = Int(arguments[4]), threads >= 1 {
            return try PredictRun(path: arguments[2], rows: arguments[3], threads: threads).serve()
        }
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            FileHandle.standardError.write(Data((Options.usage + "\n").utf8))
            exit(64)
        }
        let clock = options.threads == 1 && !options.isWall ? Clock.threadTime : Clock.wallTime
        let runs = options.workloads.map { WorkloadRun($0, workers: Workers(count: options.threads)) }
        if let steps = options.steps {
            for run in runs { run.train(steps: steps) }
            return
        }
        var peaks: [Double] = []
        for _ in 0..<options.rounds {
            peaks.append(peak(seconds: 0.1))
            for run in runs { run.time(seconds: options.seconds, clock: clock) }
        }
        let report = Report(
            peak: median(peaks) * Double(options.threads), threads: options.threads,
            isa: unsafe String(cString: ck_isa_name(ck_current_isa())), runs: runs)
        print(options.isJSON ? report.json : report.table)
    }

    /// Multiply-add operations a second of one core, by its own CPU time.
    private static func peak(seconds: Double) -> Double {
        var operations = 0.0
        let start = Clock.threadTime()
        var elapsed = 0.0
        repeat {
            operations += ck_multiply_adds_f32(100_000)
            elapsed = Clock.threadTime() - start
        } while elapsed < seconds
        return operations / elapsed
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.last else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : middle > 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : last
}
