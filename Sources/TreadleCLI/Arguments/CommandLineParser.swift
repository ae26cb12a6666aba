internal import TreadleBase
internal import TreadleConfiguration

/// Reads a command's part of the command line by its table.
struct CommandLineParser {
    let command: Command

    private var options: [String: [String]] = [:]
    private var words: [String] = []

    init(_ command: Command) {
        self.command = command
    }

    /// What a command line asks for: `--help` and `--version` win over everything else on it.
    enum Request {
        case run(options: [String: [String]], positionals: [String: [String]])
        case help
        case version
    }

    /// Reads what follows the command's name.
    ///
    /// `--` ends the options, `-` alone is an argument, `--name=value` and `-ovalue` carry their value,
    /// switches of one letter may be joined.
    mutating func parse(_ line: [String]) throws -> Request {
        // Help is due even where the rest of the line is wrong: that is when it is wanted.
        let beforeEnd = line.prefix { $0 != "--" }
        if beforeEnd.contains(where: { $0 == "--help" || $0 == "-h" }) { return .help }
        if beforeEnd.contains("--version") { return .version }

        var rest = line[...]
        while let word = rest.popFirst() {
            if word == "--" {
                words += rest
                break
            } else if word.hasPrefix("--") {
                try parseLong(word.dropFirst(2), &rest)
            } else if word.hasPrefix("-"), word != "-" {
                try parseShort(word.dropFirst(), &rest)
            } else {
                words.append(word)
            }
        }
        return .run(options: options, positionals: try assignPositionals())
    }

    private mutating func parseLong(_ text: Substring, _ rest: inout ArraySlice<String>) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = command.allOptions.first(where: { $0.long == name }) else {
            let names = command.allOptions.map(\.long)
            throw failure("unknown option \"--\(name)\"", Suggestion.text(for: name, among: names, prefix: "--"))
        }
        try take(option, spelled: "--\(name)", joined: parts.count > 1 ? String(parts[1]) : nil, &rest)
    }

    private mutating func parseShort(_ letters: Substring, _ rest: inout ArraySlice<String>) throws {
        var letters = letters
        while let letter = letters.popFirst() {
            guard let option = command.allOptions.first(where: { $0.short == letter }) else {
                throw failure("unknown option \"-\(letter)\"")
            }
            guard option.takesValue else {
                try take(option, spelled: "-\(letter)", joined: nil, &rest)
                continue
            }
            let joined = letters.first == "=" ? letters.dropFirst() : letters
            try take(option, spelled: "-\(letter)", joined: letters.isEmpty ? nil : String(joined), &rest)
            return
        }
    }

    private mutating func take(
        _ option: Option, spelled: String, joined: String?, _ rest: inout ArraySlice<String>
    ) throws {
        guard let valueName = option.valueName else {
            guard joined == nil else { throw failure("\(spelled) takes no value") }
            options[option.long] = [""]
            return
        }
        guard let value = joined ?? rest.popFirst(), !(joined == nil && value == "--") else {
            throw failure("\(spelled) needs a value: \(spelled) \(valueName)")
        }
        if case .choice(let choices) = option.values, !choices.contains(value) {
            throw failure(
                "\(spelled) is \"\(value)\", but takes \(choices.joined(separator: ", "))",
                Suggestion.text(for: value, among: choices))
        }
        guard option.isRepeatable || options[option.long] == nil else {
            throw failure("\(spelled) is given twice")
        }
        options[option.long, default: []].append(value)
    }

    private func assignPositionals() throws -> [String: [String]] {
        var positionals: [String: [String]] = [:]
        var rest = words[...]
        for argument in command.arguments {
            // Only a command's last argument may be optional or several.
            let count =
                switch argument.count {
                case .one: 1
                case .optional: min(1, rest.count)
                case .oneOrMore: max(1, rest.count)
                }
            guard rest.count >= count else { throw failure("missing \(argument.name) (\(argument.summary))") }
            let values = Array(rest.prefix(count))
            if case .choice(let choices) = argument.values, let wrong = values.first(where: { !choices.contains($0) }) {
                throw failure(
                    "\(argument.name) is \"\(wrong)\", but takes \(choices.joined(separator: ", "))",
                    Suggestion.text(for: wrong, among: choices))
            }
            positionals[argument.name] = values
            rest = rest.dropFirst(count)
        }
        if let extra = rest.first { throw failure("unexpected argument \"\(extra)\"") }
        return positionals
    }

    private func failure(_ problem: String, _ suggestion: String? = nil) -> TreadleError {
        let hint = suggestion.map { "; \($0) See" } ?? "; see"
        return TreadleError(.usage, "\(problem)\(hint) \"treadle \(command.name) --help\"")
    }
}

/// What a mistyped word may have meant.
enum Suggestion {
    /// `did you mean "--fresh"?`, or nil where nothing is close.
    static func text(for word: String, among candidates: [String], prefix: String = "") -> String? {
        let typed = word.lowercased()
        let completed = typed.count < 2 ? nil : candidates.first { $0.hasPrefix(typed) }
        return (completed ?? nearest(to: word, among: candidates)).map { "did you mean \"\(prefix)\($0)\"?" }
    }
}
