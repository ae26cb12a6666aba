import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleRun
@testable import TreadleTools
import RunTestSupport

@Suite struct RunRecordTests {
    private let helper = GuardedHelper(Program.path)

    private let log = """
        {"step":5,"epoch":0,"time":1.0,"seconds":0.5,"loss":0.9,"rate":0.1,"samples_per_second":10.0}
        {"step":10,"epoch":1,"time":2.0,"seconds":1.0,"loss":0.8,"rate":0.1,"valid.loss":0.85,"valid.accuracy":0.5}
        {"step":15,"epoch":1,"time":3.0,"seconds":1.5,"loss":0.6,"rate":0.1}
        {"step":20,"epoch":2,"time":4.0,"seconds":2.0,"loss":0.5,"rate":0.1,"valid.loss":0.7,"valid.accuracy":null}
        {"step":25,"epoch":2,"ti
        """

    @Test func `the lines of a run in progress are read, those of epochs apart`() throws {
        let directory = try TemporaryDirectory()
        try directory.write(log, to: "metrics.jsonl")
        let run = try RunRecord.read(directory.path, helper: helper)
        #expect(run.lines.map(\.step) == [5, 10, 15, 20])
        #expect(run.epochs.map(\.epoch) == [1, 2])
        #expect(run.epochs.map { $0.metrics["loss"] } == [0.8, 0.5])
        #expect(run.epochs[1].metrics["valid.accuracy"] == nil)
        let charts = RunCharts([run])
        #expect(charts.names == ["loss", "valid.loss", "valid.accuracy"])
        let drawn = charts.charts(of: charts.names)
        #expect(drawn.map(\.title) == ["loss", "accuracy"])
        #expect(drawn.map(\.higherIsBetter) == [false, true])
        #expect(drawn[0].series.map(\.name) == ["loss", "valid.loss"])
        #expect(drawn[0].series.map(\.stroke) == [.solid, .dashed])
        #expect(RunCharts([run], over: .step).charts(of: ["loss"])[0].series[0].points.map(\.x) == [5, 10, 15, 20])
    }

    @Test func `two runs have a colour each`() throws {
        let history = sampleCheckpoint().history
        let runs = ["a", "b"].map { RunRecord(name: $0, history: history) }
        let chart = RunCharts(runs).charts(of: ["loss", "valid.loss"])[0]
        #expect(chart.series.map(\.name) == ["a loss", "a valid.loss", "b loss", "b valid.loss"])
        #expect(chart.series.map(\.color) == [0, 0, 1, 1])
    }

    @Test func `settings are written as people write them`() {
        func run(_ settings: String) -> RunTable.Run {
            RunTable.Run(
                directory: "a", name: "a", file: "a/final.h5", isFinished: true, epoch: 1, seconds: 1, metrics: [:],
                digest: "", settings: JSONValue(parsing: settings).map { ["model.hidden": $0] } ?? [:])
        }
        for (json, words) in [
            (
                "[{\"units\":32,\"activation\":\"relu\",\"dropout\":0},{\"units\":64,\"activation\":\"relu\",\"dropout\":0.5}]",
                "32 relu, 64 relu with dropout 0.5"
            ), ("[]", "none"), ("\"adam\"", "adam"), ("[{\"units\":3}]", "[{\"units\":3}]"),
        ] { #expect(run(json).setting("model.hidden") == words) }
        #expect(run("1").setting("seed") == nil)
    }

    @Test func `a checkpoint's history is a run, and what is none is refused`() throws {
        let directory = try TemporaryDirectory()
        try CheckpointFile.write(sampleCheckpoint(), to: directory.file("final.h5"))
        #expect(try RunRecord.read(directory.file("final.h5"), helper: helper).epochs.count == 3)
        #expect(try RunRecord.read(directory.path, helper: helper).epochs.count == 3)
        try directory.write("{\"step\":1,\"epoch\":1}\nno JSON\n", to: "bad.jsonl")
        let bad = #expect(throws: TreadleError.self) { try RunRecord.read(directory.file("bad.jsonl"), helper: helper) }
        #expect(bad?.messages[0].contains("bad.jsonl:2: not a line of metrics") == true)
        #expect(
            #expect(throws: TreadleError.self) { try RunRecord.read(directory.file("none"), helper: helper) }?.kind
                == .noInput)
    }
}
