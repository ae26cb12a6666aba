internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleEngine
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// `treadle bench`: what this machine can do, and how much of it a training step uses.
enum BenchCommand {
    private static let job = Argument(
        "JOB.json5", "the configuration whose step is measured; 784-512-512-10 at batch 128 otherwise", count: .optional
    )
    private static let machine = Option.flag("machine", "measure the machine alone")
    private static let seconds = Option.value("seconds", "S", "measure for about so long; 10 unless given")

    static let command = Command(
        "bench", group: .looking, summary: "measure this machine, and the share of it that a training step reaches",
        discussion: [
            "The machine: multiply-adds a second, bandwidth from memory, and what handing work to the threads takes, for one "
                + "core and for all. The step, on made-up rows in memory: each product of each layer, and both phases. A product "
                + "that memory limits (a linear model's) is far from the peak of multiply-adds: look at the bandwidth then.",
            "A network of float32 is also timed in \(Precision.rounding(joinedBy: "and")): what they would bring on this machine.",
            "Close other programs first: what disturbs is measured too.",
        ],
        examples: [
            .init("treadle bench", "this machine and a network of usual size"),
            .init("treadle bench churn.json5 --threads 1 --json", "a configuration's step on one core"),
        ],
        arguments: [job], options: [machine, seconds],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let file = call.arguments(job).first
        let configuration = try file.map { try call.configuration(at: $0) }
        let workers = try call.workers(configured: configuration?.compute.threads ?? .automatic)
        let time = try call.number(seconds) ?? 10
        guard time > 0, time <= 3600 else { throw call.usage("--seconds takes a number above 0 and up to 3600") }
        let single = MachineSpeed.measure(threads: 1)
        let all = workers.count > 1 ? MachineSpeed.measure(threads: workers.count) : single
        guard !call.has(machine) else {
            if call.wantsJSON {
                try call.output.write(json: json(all))
            } else {
                try call.output.write(machines(single, all).text())
            }
            return .done
        }
        let reading = try read(configuration, workers: workers, seconds: time)
        let isDouble = configuration?.model.precision.number == .float64
        let peak = isDouble ? all.gigaflopsDouble : all.gigaflops
        if call.wantsJSON {
            try call.output.write(json: json(reading, single, all, peak: peak))
        } else {
            try call.output.write(machines(single, all).text() + "\n" + steps(reading, peak: peak))
        }
        return .done
    }

    private static func read(
        _ configuration: Configuration?, workers: Workers, seconds: Double
    ) throws -> StepReading {
        guard let configuration else {
            let usual = try Configuration.parse(
                text: """
                    { name: "bench", data: { train: "none.h5", batch_size: 128 }, optimizer: { type: "sgd", lr: 0.01 },
                      model: { hidden: [{ units: 512, activation: "relu" }, { units: 512, activation: "relu" }] } }
                    """, file: "bench", baseDirectory: "/")
            return StepReading.measure(
                usual, network: usual.network(inputs: 784, outputs: 10),
                loss: try LossFunction(usual.loss, task: usual.task, outputs: 10), workers: workers, seconds: seconds)
        }
        let plan = try RunPlan(configuration) { _, _ in }
        return StepReading.measure(
            configuration, network: plan.network, loss: plan.loss, workers: workers, seconds: seconds)
    }

    // MARK: For people

    private static func machines(_ single: MachineSpeed, _ all: MachineSpeed) -> TextTable {
        var table = TextTable([
            .init("machine (\(all.instructionSet))"), .init("FP32 GFLOP/s", .right), .init("FP64 GFLOP/s", .right),
            .init("memory GB/s", .right), .init("dispatch µs", .right),
        ])
        for speed in single == all ? [single] : [single, all] {
            table.add([
                Figure.count(speed.threads, "thread"), Figure.steady(speed.gigaflops),
                Figure.steady(speed.gigaflopsDouble), Figure.steady(speed.bandwidth),
                Figure.steady(speed.dispatchSeconds * 1e6),
            ])
        }
        return table
    }

    private static func steps(_ reading: StepReading, peak: Double) -> String {
        var table = TextTable([
            .init("product"), .init("shape"), .init("µs", .right), .init("GFLOP/s", .right), .init("of peak", .right),
        ])
        for part in reading.products + reading.phases {
            table.add([
                part.name, part.shape, Figure.steady(part.seconds * 1e6), Figure.steady(part.gigaflops),
                Figure.percent(part.gigaflops / peak),
            ])
        }
        var text = table.text()
        text += "\n\(Figure.grouped(Int(reading.samplesPerSecond))) samples a second at batch \(reading.batchSize)\n"
        for other in reading.otherPrecisions {
            text += "in \(other.precision.rawValue) \(Figure.grouped(Int(other.samplesPerSecond))), "
            text += "\(Figure.steady(other.samplesPerSecond / reading.samplesPerSecond)) times as many: "
            text += (BFloat16Unit.reason(for: other.precision) ?? "") + "\n"
        }
        return text
    }

    // MARK: For programs

    private static func json(_ speed: MachineSpeed) -> JSONValue {
        [
            "threads": .integer(speed.threads), "instruction_set": .string(speed.instructionSet),
            "gigaflops": .number(speed.gigaflops), "gigaflops_float64": .number(speed.gigaflopsDouble),
            "bandwidth": .number(speed.bandwidth), "dispatch_seconds": .number(speed.dispatchSeconds),
        ]
    }

    private static func json(
        _ reading: StepReading, _ single: MachineSpeed, _ all: MachineSpeed, peak: Double
    ) -> JSONValue {
        func parts(_ parts: [StepReading.Part]) -> JSONValue {
            .array(
                parts.map { part in
                    [
                        "name": .string(part.name), "shape": .string(part.shape), "seconds": .number(part.seconds),
                        "gigaflops": .number(part.gigaflops), "share_of_peak": .number(part.gigaflops / peak),
                    ]
                })
        }
        return [
            "machine": .array([json(single)] + (single == all ? [] : [json(all)])),
            "batch_size": .integer(reading.batchSize), "samples_per_second": .number(reading.samplesPerSecond),
            "products": parts(reading.products), "phases": parts(reading.phases),
            "other_precisions": .array(
                reading.otherPrecisions.map { other in
                    [
                        "precision": .string(other.precision.rawValue),
                        "samples_per_second": .number(other.samplesPerSecond),
                    ]
                }),
        ]
    }
}
