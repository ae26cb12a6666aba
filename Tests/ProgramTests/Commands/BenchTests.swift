import Foundation
import TestSupport
import Testing

@Suite struct BenchTests {
    private struct Machine: Decodable {
        var threads: Int
        var gigaflops: Double
        var bandwidth: Double
        var dispatch_seconds: Double
    }

    private struct Step: Decodable {
        struct Part: Decodable {
            var name: String
            var seconds: Double
            var share_of_peak: Double
        }

        var machine: [Machine]
        var samples_per_second: Double
        var products: [Part]
        var phases: [Part]
        var other_precisions: [Other]

        struct Other: Decodable {
            var precision: String
            var samples_per_second: Double
        }
    }

    @Test func `the machine's peak, bandwidth and dispatch come as JSON`() throws {
        let result = try Program.run("bench", "--machine", "--json", "--threads", "2")
        #expect(result.code == 0)
        let machine = try JSONDecoder().decode(Machine.self, from: Data(result.output.utf8))
        #expect(machine.threads == 2)
        #expect(machine.gigaflops > 0 && machine.bandwidth > 0 && machine.dispatch_seconds > 0)
    }

    @Test func `a step is measured by product and by phase`() throws {
        let result = try Program.run("bench", "--json", "--threads", "1", "--seconds", "0.3")
        #expect(result.code == 0)
        let step = try JSONDecoder().decode(Step.self, from: Data(result.output.utf8))
        #expect(step.machine.count == 1)
        #expect(step.samples_per_second > 0)
        #expect(
            step.products.map(\.name) == [
                "dense X·W", "dense XᵀdY", "dense_1 X·W", "dense_1 dY·Wᵀ", "dense_1 XᵀdY", "dense_2 X·W",
                "dense_2 dY·Wᵀ", "dense_2 XᵀdY",
            ])
        #expect(step.phases.map(\.name) == ["rows", "tiles", "step"])
        #expect(step.phases.allSatisfy { $0.seconds > 0 && $0.share_of_peak > 0 })
        #expect(step.other_precisions.map(\.precision) == ["bfloat16", "bfloat16x3"])
        #expect(step.other_precisions.allSatisfy { $0.samples_per_second > 0 })
    }

    @Test func `the step of a configuration has its members, its parameterization and its stem`() throws {
        let directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        try directory.write(
            """
            { name: "many", task: "classification", data: { train: "data.h5", batch_size: 64, valid: { folds: 3 } },
              model: { hidden: [{ units: 16 }], members: 30, parameterization: "ntk", embedding: {}, scale_inputs: true } }
            """, to: "job.json5")
        let result = try Program.run(
            ["bench", "job.json5", "--json", "--threads", "1", "--seconds", "0.1"], in: directory)
        #expect(result.code == 0, "\(result.errors)")
        let step = try JSONDecoder().decode(Step.self, from: Data(result.output.utf8))
        // The products are one member's, the step is that of all thirty: by far longer, whatever else the machine does meanwhile.
        #expect(step.products.count == 5)
        let (rows, tiles, whole) = (step.phases[0].seconds, step.phases[1].seconds, step.phases[2].seconds)
        #expect(whole > 3 * (rows + tiles))
        #expect(abs(step.samples_per_second * whole / 64 - 1) < 1e-9)
    }

    @Test func `impossible times are usage errors`() throws {
        #expect(try Program.run("bench", "--seconds", "0").code == 64)
    }
}
