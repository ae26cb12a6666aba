import Foundation
import HDF5
import RunTestSupport
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun

/// A stretch of a run that is computed a second time.
@Suite struct AuditTests {
    let directory: TemporaryDirectory

    /// 300 rows in 10 batches: 4 epochs have 40 steps.
    init() throws {
        directory = try TemporaryDirectory()
        let random = Philox(seed: 3, purpose: .generation)
        let x = (0..<900).map { Float(random.words(at: UInt64($0))[0]) / 0x1p31 - 1 }
        let file = try H5File.create(directory.file("rows.h5"))
        try file.write(x, to: "x", shape: [300, 3])
        try file.write((0..<300).map { Int64(x[3 * $0] + x[3 * $0 + 1] > 0 ? 1 : 0) }, to: "y")
        try file.close()
    }

    private func train(
        _ settings: String..., fresh: Bool = true, disturb: (@Sendable (Int, inout [LayerParameters]) -> Void)? = nil
    ) throws -> (digest: String?, notes: [String]) {
        let configuration = try Configuration.parse(
            text: """
                { name: "a", data: { train: "rows.h5", valid: null, batch_size: 30 }, model: { hidden: [ { units: 5 } ], members: 2 },
                  optimizer: { lr: 0.01 }, stop: { epochs: 4, early: null } }
                """, file: "a.json5", baseDirectory: directory.path, overrides: settings)
        var options = Trainer.Options()
        options.fresh = fresh
        options.disturb = disturb
        let observer = RunRecorder()
        let summary = try Trainer.run(configuration, options: options, observer: observer)
        return (summary.digest, observer.notes.filter { $0.hasPrefix("compute.audit") })
    }

    @Test(arguments: ["model.members=2", "model.members=1", "compute.accumulate=3", "data.batch_size=300"])
    func `what is audited is said, and no bit of the weights is another`(setting: String) throws {
        let plain = try train(setting)
        let audited = try train(setting, "compute.audit=0.00001")
        #expect(plain.notes.isEmpty && audited.digest == plain.digest && plain.digest != nil)
        #expect(audited.notes.count >= 4)
        let first = ["compute.accumulate=3": "steps 1 to 4", "data.batch_size=300": "step 1"]
        let words = first[setting] ?? "steps 1 to 10"
        let start = "compute.audit: \(words) gave the same bits with "
        #expect(audited.notes.first?.hasPrefix(start) == true, "\(audited.notes)")
        #expect(try train(setting, "compute.audit=1h").notes.isEmpty)
    }

    @Test func `a planted bit ends the run with 70, and names step, layer and cores`() throws {
        let failure = #expect(throws: TreadleError.self) {
            try train("compute.audit=0.00001") { step, parameters in
                guard step == 15, case .float32(var numbers) = parameters[3].weight.storage else { return }
                numbers[2] = Float(bitPattern: numbers[2].bitPattern ^ 1)
                parameters[3].weight.storage = .float32(numbers)
            }
        }
        let error = try #require(failure)
        #expect(error.kind == .bug && error.exitCode == 70)
        let words = "compute.audit: step 15 gave other weights in layer m2/dense_1 the second time ("
        #expect(error.description.hasPrefix(words), "\(error)")
        #expect(error.description.contains("; on cores \(Cores.names)): CPU or memory of this machine are broken"))
        #expect(Cores.names.first?.isNumber == true)

        // What is left is the state from before the stretch, from which the same command ends where any run does.
        let newest = try #require(directory.newestStep(in: "runs/a"))
        #expect(newest == directory.file("runs/a/step-00000010.h5"))
        #expect(error.description.hasSuffix("the same command continues from \(newest)"), "\(error)")
        let continued = try train(fresh: false).digest
        #expect(try continued == train().digest && continued != nil)
    }
}
