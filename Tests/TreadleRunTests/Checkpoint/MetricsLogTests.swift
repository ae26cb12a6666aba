import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleData
import TreadleRun

@Suite struct MetricsLogTests {
    @Test func `lines are added, and cut back to the cursor`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("metrics.jsonl")
        do {
            let log = try MetricsLog(path, continuingAt: Cursor())
            for (epoch, step) in [(0, 50), (1, 100), (1, 150), (2, 200)] {
                try log.append(["step": .integer(step), "epoch": .integer(epoch), "loss": 0.5])
            }
        }
        #expect(try lines(directory) == 4)
        _ = try MetricsLog(path, continuingAt: Cursor(epoch: 1, batch: 75, step: 175))
        #expect(try lines(directory) == 3)
        // The same update, but the epoch's end is not part of the checkpoint: its line comes again.
        _ = try MetricsLog(path, continuingAt: Cursor(epoch: 0, batch: 100, step: 100))
        #expect(try directory.read("metrics.jsonl") == "{\"step\":50,\"epoch\":0,\"loss\":0.5}\n")
        _ = try MetricsLog(path, continuingAt: Cursor())
        #expect(try directory.read("metrics.jsonl") == "")
        #expect(try directory.contents() == ["metrics.jsonl"])
    }

    @Test func `a last line without its end goes`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("{\"step\":50,\"epoch\":0}\n{\"step\":60,\"ep", to: "metrics.jsonl")
        let log = try MetricsLog(directory.file("metrics.jsonl"), continuingAt: Cursor(epoch: 5, batch: 0, step: 500))
        try log.append(["step": 70])
        #expect(try directory.read("metrics.jsonl") == "{\"step\":50,\"epoch\":0}\n{\"step\":70}\n")
    }

    @Test func `no part of a line stays when writing it fails`() throws {
        let directory = try TemporaryDirectory()
        var calls = SystemCalls.failing(.write, turn: 4, with: ENOSPC)
        calls.longestWrite = 5
        let log = try MetricsLog(directory.file("m"), continuingAt: Cursor(), calls: calls)
        try log.append(["a": 1])
        #expect(throws: TreadleError.self) { try log.append(["step": 12345]) }
        try log.append(["b": 2])
        #expect(try directory.read("m") == "{\"a\":1}\n{\"b\":2}\n")
    }

    private func lines(_ directory: TemporaryDirectory) throws -> Int {
        try directory.read("metrics.jsonl").split(separator: "\n").count
    }
}
