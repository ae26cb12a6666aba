import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun

@Suite struct MetricsReportTests {
    /// Reports two epochs of two batches each, and gives the log's lines and the seconds from one epoch's beginning to its
    /// last batch.
    private func linesOfTwoEpochs(every interval: Duration) throws -> (lines: [[String: Double]], seconds: [Double]) {
        let directory = try TemporaryDirectory()
        let report = MetricsReport(
            try MetricsLog(directory.file("m"), continuingAt: Cursor()), every: interval,
            report: { Issue.record("\($0)") })
        report.began(
            RunOverview(
                name: "r", directory: "", task: .regression, network: Network(inputs: 1, layers: []), trainRows: 64,
                validRows: 0, testRows: 0, batchSize: 32, batchesPerEpoch: 2, epochs: 2, threads: 1, start: Cursor(),
                history: []))
        var seconds = [Double]()
        let start = ContinuousClock.now
        var epochStart = start
        for epoch in 0..<2 {
            for batch in 1...2 {
                usleep(10_000)
                report.stepped(
                    StepReport(
                        cursor: Cursor(epoch: epoch, batch: batch, step: epoch * 2 + batch), rows: 32, loss: 1, rate: 1,
                        seconds: (ContinuousClock.now - start).seconds, waited: 0.002 * Double(epoch * 2 + batch)))
            }
            seconds.append((ContinuousClock.now - epochStart).seconds)
            // An evaluation, which is no part of the speed.
            usleep(100_000)
            epochStart = .now
            report.epochEnded(
                EpochRecord(epoch: epoch + 1, step: epoch * 2 + 2, rate: 1, seconds: 1, metrics: ["loss": 1]))
        }
        let lines = try directory.read("m").split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Double])
        }
        return (lines, seconds)
    }

    @Test func `every epoch's line has the speed of its own steps, however rare the lines between are`() throws {
        let (lines, seconds) = try linesOfTwoEpochs(every: .seconds(3600))
        #expect(lines.map { $0["epoch"] } == [1, 2])
        for (line, seconds) in zip(lines, seconds) {
            let speed = try #require(line["samples_per_second"])
            // Two pauses of 10 ms at least, and no more than was measured around it.
            #expect(speed <= 64 / 0.02 && speed >= 64 / seconds * 0.999)
            let wait = try #require(line["input_wait"])
            #expect(abs(wait - 0.004 / (64 / speed)) < 1e-6)
        }
    }

    @Test func `lines between epochs have the speed of their interval`() throws {
        let (lines, _) = try linesOfTwoEpochs(every: .zero)
        #expect(lines.count == 6)
        #expect(lines.allSatisfy { ($0["samples_per_second"] ?? 0) > 0 && $0["input_wait"] != nil })
    }
}
