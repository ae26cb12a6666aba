import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleData

@testable import TreadleRun

@Suite struct TensorBoardTests {
    @Test func `the checksum gives the published values`() {
        // RFC 3720, appendix B.4, and the customary check value.
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
    }

    /// A run of two epochs, reported as a trainer does, with events into `directory`.
    private func record(into directory: TemporaryDirectory, from start: Cursor = Cursor()) {
        let file = TensorBoardFile(directory: directory.path, every: .seconds(1)) { Issue.record("\($0)") }
        file.began(.sample(start: start))
        for step in start.step + 1...20 {
            file.stepped(
                StepReport(
                    cursor: Cursor(epoch: step / 10, batch: step % 10, step: step), rows: 32, loss: 1 / Double(step),
                    rate: 0.5, seconds: Double(step - start.step) * 0.5, waited: 0, runSeconds: 0))
            if step.isMultiple(of: 10) {
                let metrics = ["loss": 0.25 * Double(step), "valid.loss": 0.5, "valid.macro_f1": 0.75]
                file.epochEnded(EpochRecord(epoch: step / 10, step: step, rate: 0.5, seconds: 5, metrics: metrics))
            }
        }
        file.finished(.sample)
    }

    @Test func `events begin with the version and are framed by their length`() throws {
        let directory = try TemporaryDirectory()
        record(into: directory)
        let names = try directory.contents()
        #expect(names.count == 1)
        #expect(names.first?.hasPrefix("events.out.tfevents.") == true)
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.file(names.first ?? ""))))[...]
        var records = 0
        while !bytes.isEmpty {
            let length = Int(bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
            let message = Array(bytes.dropFirst(12).prefix(length))
            if records == 0 { #expect(String(decoding: message, as: UTF8.self).contains("brain.Event:2")) }
            let stored = bytes.dropFirst(12 + length).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
            #expect(stored == CRC32C.masked(message))
            bytes = bytes.dropFirst(16 + length)
            records += 1
        }
        // The version, ten intervals of two steps, two epochs.
        #expect(records == 13)
    }

    @Test(.enabled(if: Python.has("tensorboard"), "TensorBoard cannot be imported by TREADLE_PYTHON"))
    func `TensorBoard reads every value back`() throws {
        let directory = try TemporaryDirectory()
        record(into: directory)
        let script = """
            import sys
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
            events = EventAccumulator(sys.argv[1])
            events.Reload()
            for tag in sorted(events.Tags()["scalars"]):
                if tag.startswith("batch/") and tag != "batch/loss": continue
                print(tag, *("%d:%.6g" % (e.step, e.value) for e in events.Scalars(tag)))
            """
        let read = try Python.run(script, directory.path)
        #expect(read.code == 0, "\(read.errors)")
        let losses = stride(from: 2, through: 20, by: 2).map { (step: Int) -> String in
            let mean: Double = (1 / Double(step - 1) + 1 / Double(step)) / 2
            return String(format: "%d:%.6g", step, mean)
        }
        #expect(
            read.output == """
                batch/loss \(losses.joined(separator: " "))
                train/loss 10:2.5 20:5
                train/rate 10:0.5 20:0.5
                valid/loss 10:0.5 20:0.5
                valid/macro_f1 10:0.75 20:0.75

                """)
    }

    @Test(.enabled(if: Python.has("tensorboard"), "TensorBoard cannot be imported by TREADLE_PYTHON"))
    func `what a resumed run does again replaces what was there`() throws {
        let directory = try TemporaryDirectory()
        record(into: directory)
        // Names carry the second and the process: this keeps the second file apart from the first.
        let first = try directory.contents()[0]
        try FileManager.default.moveItem(
            atPath: directory.file(first), toPath: directory.file("events.out.tfevents.1.first"))
        record(into: directory, from: Cursor(epoch: 1, batch: 4, step: 14))
        let script = """
            import sys
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
            events = EventAccumulator(sys.argv[1])
            events.Reload()
            print(*(e.step for e in events.Scalars("train/loss")))
            """
        let read = try Python.run(script, directory.path)
        #expect(read.output == "10 20\n", "\(read.errors)")
    }

    @Test func `a directory that is not there is said once and does not stop the run`() {
        let said = Said()
        let file = TensorBoardFile(directory: "/nonexistent/run", every: .seconds(1)) { said.add($0) }
        file.began(.sample(start: Cursor()))
        file.epochEnded(EpochRecord(epoch: 1, step: 1, rate: 1, seconds: 1, metrics: ["loss": 1]))
        #expect(said.lines.count == 1)
        #expect(said.lines[0].contains("/nonexistent/run/events.out.tfevents."))
    }
}
