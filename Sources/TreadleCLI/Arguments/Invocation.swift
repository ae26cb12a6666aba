internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleRun

/// What the user asked of a command, checked against its table, and where the answers go.
struct Invocation {
    let command: Command
    /// Stdout, for data.
    let output: Output
    /// Stderr, for everything else.
    let log: Log
    /// The values by the option's long name, in the order given; a switch has empty texts.
    fileprivate let options: [String: [String]]
    /// The positional arguments by the argument's name.
    fileprivate let positionals: [String: [String]]

    init(
        command: Command, output: Output, log: Log, options: [String: [String]], positionals: [String: [String]]
    ) {
        self.command = command
        self.output = output
        self.log = log
        self.options = options
        self.positionals = positionals
    }

    /// Whether the switch or option was given.
    func has(_ option: Option) -> Bool { options[option.long] != nil }

    /// The option's value; the last one where it was given twice.
    func value(_ option: Option) -> String? { options[option.long]?.last }

    /// All values of a repeatable option.
    func values(_ option: Option) -> [String] { options[option.long] ?? [] }

    /// The option's value, which the command cannot do without.
    func required(_ option: Option) throws -> String {
        guard let value = value(option) else {
            throw usage("missing --\(option.long) \(option.valueName ?? "")")
        }
        return value
    }

    /// The option's value as a whole number within `range`.
    func integer(_ option: Option, in range: ClosedRange<Int> = 1...Int.max) throws -> Int? {
        guard let text = value(option) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let expected = range.upperBound == Int.max ? "\(range.lowerBound) or more" : "\(range)"
            throw usage("--\(option.long) is \"\(text)\", but takes a whole number, \(expected)")
        }
        return number
    }

    /// The option's value as a finite number.
    func number(_ option: Option) throws -> Double? {
        guard let text = value(option) else { return nil }
        guard let number = Double(text), number.isFinite else {
            throw usage("--\(option.long) is \"\(text)\", but takes a number")
        }
        return number
    }

    /// The value of an argument that is always there.
    func argument(_ argument: Argument) -> String {
        guard let value = positionals[argument.name]?.first else {
            preconditionFailure("\(command.name) has no required argument \(argument.name)")
        }
        return value
    }

    /// All values of an argument; empty where an optional one was not given.
    func arguments(_ argument: Argument) -> [String] { positionals[argument.name] ?? [] }

    /// Says so where `--set` has nothing to override.
    func noteIdleOverrides() {
        let hasSettings = command.arguments.contains { $0.hasSettings && !arguments($0).isEmpty }
        guard has(.set), !hasSettings else { return }
        log.warning("--set changes nothing here: it overrides settings of a configuration, and none is read")
    }

    /// A model whose settings of rows and threads `--set` overrides: what else there is was decided by its training.
    func model(at path: String) throws -> TrainedModel {
        for override in overrides where !["data.", "compute."].contains(where: override.hasPrefix) {
            throw usage(
                "--set \(override): \(command.name) takes settings of data and compute; the others are those that "
                    + "\(path) was trained by")
        }
        return try TrainedModel.read(path, overrides: overrides, helper: .program)
    }

    /// The threads for work with such a model, whose own setting was that of another machine.
    func workers(for model: TrainedModel) throws -> Workers {
        try workers(configured: overridesThreads ? model.configuration.compute.threads : .automatic)
    }

    /// A usage error (64) that ends with where to read more.
    func usage(_ problem: String) -> TreadleError {
        TreadleError(.usage, "\(problem); see \"treadle \(command.name) --help\"")
    }
}

extension Invocation {
    /// `--set a.b=c`, as given.
    var overrides: [String] { values(.set) }
    private var overridesThreads: Bool { overrides.contains { $0.hasPrefix("compute.threads=") } }
    var isQuiet: Bool { has(.quiet) }
    var wantsJSON: Bool { has(.json) }

    /// The threads to use: `--threads`, `--set compute.threads`, TREADLE_THREADS, the configuration, all cores.
    func workers(configured: Automatic<Int> = .automatic) throws -> Workers {
        if let threads = try integer(.threads, in: 1...4096) { return Workers(count: threads) }
        let environment = overridesThreads ? nil : try ProgramEnvironment.threads()
        return switch environment ?? configured {
        case .automatic: Workers(count: Cores.available)
        case .value(let threads): Workers(count: threads)
        }
    }
}

extension Invocation {
    /// The configuration in `file`, with what `--set`, `--threads` and the environment put in its place.
    func configuration(at file: String) throws -> Configuration {
        var configuration = try Configuration.load(
            path: file, overrides: overrides, environment: ProcessInfo.processInfo.environment, stop: Signals.stop)
        configuration.compute.threads = .value(try workers(configured: configuration.compute.threads).count)
        if !isQuiet { log.lowest = configuration.log.level }
        return configuration
    }
}
