import Foundation
import Synchronization
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun

@Suite struct MetricsReportTests {
    /// Time that passes when a test says so.
    private final class Time: Sendable {
        private let time = Mutex(ContinuousClock.now)

        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func pass(_ duration: Duration) { time.withLock { $0 += duration } }
    }

    /// Reports three epochs of two batches each, whose steps take 10 ms, 20 ms and 40 ms, and of which the input takes a half;
    /// an evaluation of 100 ms follows on each.
    private func linesOfThreeEpochs(every interval: Duration) throws -> [[String: Double]] {
        let directory = try TemporaryDirectory()
        let time = Time()
        let report = MetricsReport(
            try MetricsLog(directory.file("m"), continuingAt: Cursor()), every: interval, now: { time.now },
            report: { Issue.record("\($0)") })
        // What lies between the making of the report and the run's beginning is no part of its first epoch.
        time.pass(.seconds(5))
        report.began(
            RunOverview(
                name: "r", directory: "", task: .regression, network: Network(inputs: 1, layers: []), trainRows: 64,
                validRows: 0, testRows: 0, batchSize: 32, batchesPerEpoch: 2, epochs: 3, threads: 1, start: Cursor(),
                history: []))
        var (seconds, waited) = (0.0, 0.0)
        for epoch in 0..<3 {
            for batch in 1...2 {
                let step = 0.01 * Double(1 << epoch)
                time.pass(.seconds(step))
                seconds += step
                waited += step / 2
                report.stepped(
                    StepReport(
                        cursor: Cursor(epoch: epoch, batch: batch, step: epoch * 2 + batch), rows: 32, loss: 1, rate: 1,
                        seconds: seconds, waited: waited, runSeconds: 100 + seconds))
            }
            time.pass(.milliseconds(100))
            seconds += 0.1
            report.epochEnded(
                EpochRecord(epoch: epoch + 1, step: epoch * 2 + 2, rate: 1, seconds: 1, metrics: ["loss": 1]))
        }
        return try directory.read("m").split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Double])
        }
    }

    @Test func `every epoch's line has the speed of its own steps, however rare the lines between are`() throws {
        let lines = try linesOfThreeEpochs(every: .seconds(3600))
        #expect(lines.map { $0["epoch"] } == [1, 2, 3])
        // 64 rows in 20 ms, 40 ms and 80 ms, but for the rounding of these.
        for (line, speed) in zip(lines, [3200, 1600, 800.0]) {
            #expect(abs(try #require(line["samples_per_second"]) - speed) < 1e-6)
            #expect(abs(try #require(line["input_wait"]) - 0.5) < 1e-6)
        }
    }

    @Test func `lines between epochs have the speed of their interval`() throws {
        let lines = try linesOfThreeEpochs(every: .zero)
        #expect(lines.map { $0["step"] } == [1, 2, 2, 3, 4, 4, 5, 6, 6])
        // 32 rows since the line before; the first of an epoch comes after an evaluation.
        let speeds: [Double] = [3200, 3200, 3200, 32 / 0.12, 1600, 1600, 32 / 0.14, 800, 800]
        for (line, speed) in zip(lines, speeds) {
            #expect(abs(try #require(line["samples_per_second"]) - speed) < 1e-6)
            #expect(line["input_wait"] != nil)
        }
        // As in epochs' lines, all of the run's seconds, though the process has been at it for two hundredths of one.
        #expect(abs(try #require(lines[1]["seconds"]) - 100.02) < 1e-9)
    }
}
