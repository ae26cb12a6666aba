/// One command of the program: the only description that parsing, help, completions and the man page read.
struct Command: Sendable {
    /// The headings under which the program's help lists its commands, in order.
    enum Group: String, CaseIterable, Sendable {
        case data = "Prepare"
        case training = "Train"
        case using = "Use a model"
        case looking = "Look inside"
        case program = "The program itself"
    }

    /// A command line that works, and what it does.
    struct Example: Sendable {
        let line: String
        let does: String

        init(_ line: String, _ does: String) {
            self.line = line
            self.does = does
        }
    }

    let name: String
    let group: Group
    /// One line without a full stop at its end: "train a model, …".
    let summary: String
    /// Paragraphs for the command's own help; may be empty.
    let discussion: [String]
    let examples: [Example]
    let arguments: [Argument]
    /// The command's own options; those of every command are `Option.everywhere`.
    let options: [Option]
    /// A signal asks it to come to an end, with a checkpoint where there is one to write.
    let endsOnRequest: Bool
    /// It reads rows out of files that may be anyone's, through libhdf5, and so in a process of its own.
    let readsForeignRows: Bool
    let run: @Sendable (Invocation) throws -> ExitCode

    init(
        _ name: String, group: Group, summary: String, discussion: [String] = [], examples: [Example],
        arguments: [Argument] = [], options: [Option] = [], endsOnRequest: Bool = false,
        readsForeignRows: Bool = false,
        run: @escaping @Sendable (Invocation) throws -> ExitCode
    ) {
        self.name = name
        self.group = group
        self.summary = summary
        self.discussion = discussion
        self.examples = examples
        self.arguments = arguments
        self.options = options
        self.endsOnRequest = endsOnRequest
        self.readsForeignRows = readsForeignRows
        self.run = run
    }

    /// Its own options and those of every command.
    var allOptions: [Option] { options + Option.everywhere }

    /// `treadle train [options] JOB.json5`
    var usage: String {
        (["treadle \(name) [options]"] + arguments.map(\.usage)).joined(separator: " ")
    }
}

/// What a command returns when it did its work; failures are thrown instead.
struct ExitCode: Equatable, Sendable {
    let value: Int32

    static let done = ExitCode(value: 0)
    /// Weights differ, a file is bad: the answer to the question asked is no.
    static let negative = ExitCode(value: 1)
    /// `retrain --strict`: nothing to do.
    static let unchanged = ExitCode(value: 10)
    /// `retrain --strict`: the new model is worse.
    static let notPromoted = ExitCode(value: 11)
    /// Stopped by a signal with a checkpoint written.
    static let stopped = ExitCode(value: 75)
}
