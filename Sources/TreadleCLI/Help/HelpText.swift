/// The texts of `--help`, wrapped to the terminal.
struct HelpText {
    let commands: [Command]
    let terminal: Terminal

    static let synopsis = "trains dense networks and linear models on HDF5 data"
    static let promise = """
        The weights are a pure function of the configuration, the data and the seed: not of the number of \
        threads, not of the CPU, not of how often a job was stopped and resumed.
        """
    /// The commands that lead from data to predictions: their first examples open the program's help.
    private static let path = ["import", "init", "train", "inspect", "predict"]
    static let environment: [(name: String, does: String)] = [
        ("TREADLE_THREADS", "how many threads to use, where --threads does not say"),
        ("TREADLE_<KEY>", "a setting of the configuration, as in TREADLE_OPTIMIZER__LR=0.01; --set comes before it"),
        (
            "TREADLE_ISA",
            "amx, avx512bf16, avx512, avx2 or scalar: keeps to that instruction set; results do not change"
        ),
        ("NO_COLOR", "when set, no colors"),
    ]
    static let exitCodes: [(code: String, means: String)] = [
        ("0", "done; also when there was nothing to do"),
        ("1", "the answer is no: training diverged, weights differ, a file is bad"),
        ("10", "retrain --strict: unchanged, there was nothing to do"),
        ("11", "retrain --strict: the new model is worse, and not promoted"),
        ("64", "the command line is wrong"),
        ("65", "the data or the checkpoint is bad"),
        ("66", "an input does not exist or cannot be read"),
        ("70", "a bug in treadle"),
        ("73", "an output cannot be created"),
        ("74", "reading or writing failed; the disk may be full"),
        ("75", "try again: stopped by a signal with a checkpoint written, or a lock is held"),
        ("77", "no permission"),
        ("78", "the configuration, or a TREADLE_ variable, is wrong"),
    ]

    /// `treadle --help`
    var program: String {
        var text = wrapped("treadle \(Self.synopsis).", indentation: 0) + "\n"
        text += wrapped(Self.promise, indentation: 0) + "\n"
        let examples = Self.path.compactMap { name in commands.first { $0.name == name }?.examples.first }
        if !examples.isEmpty { text += heading("Examples") + examples.map(example).joined() + "\n" }
        text += heading("Usage") + "  treadle COMMAND [options] [arguments]\n\n"
        for group in Command.Group.allCases {
            let members = commands.filter { $0.group == group }
            guard !members.isEmpty else { continue }
            text += heading(group.rawValue)
            text += table(members.map { ($0.name, $0.summary) }) + "\n"
        }
        text += heading("Options of every command")
        text += table(Option.everywhere.map { ($0.usage, $0.summary) }) + "\n"
        text += heading("Environment")
        text += table(Self.environment.map { ($0.name, $0.does) }) + "\n"
        text += heading("Exit codes")
        text += table(Self.exitCodes.map { ($0.code, $0.means) }) + "\n"
        text += wrapped("More: treadle COMMAND --help, treadle manual | man -l -", indentation: 0)
        return text
    }

    /// `treadle COMMAND --help`
    func text(for command: Command) -> String {
        var text = heading("Examples") + command.examples.map(example).joined() + "\n"
        text += wrapped("treadle \(command.name): \(command.summary).", indentation: 0) + "\n"
        for paragraph in command.discussion { text += wrapped(paragraph, indentation: 0) + "\n" }
        text += heading("Usage") + "  \(command.usage)\n\n"
        if !command.arguments.isEmpty {
            text += heading("Arguments") + table(command.arguments.map { ($0.name, $0.summary) }) + "\n"
        }
        if !command.options.isEmpty {
            text += heading("Options") + table(command.options.map { ($0.usage, describe($0)) }) + "\n"
        }
        text += heading("Options of every command")
        text += table(Option.everywhere.map { ($0.usage, describe($0)) })
        return text
    }

    private func describe(_ option: Option) -> String {
        option.isRepeatable ? option.summary + "; may be repeated" : option.summary
    }

    private func heading(_ text: String) -> String { terminal.bold(text + ":") + "\n" }

    private func example(_ example: Command.Example) -> String {
        "  \(example.line)\n" + wrapped(example.does, indentation: 6)
    }

    /// Two columns; the second is wrapped beside the first, or below it where the first is long.
    private func table(_ rows: [(String, String)]) -> String {
        let longest = min(rows.map(\.0.count).max() ?? 0, 24)
        var text = ""
        for (left, right) in rows {
            let body = wrapped(right, indentation: longest + 4)
            if left.count <= longest {
                let gap = String(repeating: " ", count: longest - left.count + 2)
                text += "  \(left)\(gap)" + body.dropFirst(longest + 4)
            } else {
                text += "  \(left)\n" + body
            }
        }
        return text
    }

    private func wrapped(_ text: String, indentation: Int) -> String {
        TextLayout.wrapped(text, indentation: indentation, width: min(100, terminal.width()))
    }
}

/// Text in columns.
enum TextLayout {
    /// Breaks `text` between words so that no line is wider than `width` where that can be; each line is
    /// indented and ends with a newline.
    static func wrapped(_ text: String, indentation: Int, width: Int) -> String {
        let indent = String(repeating: " ", count: indentation)
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= max(width, indentation + 20) {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(indent + word)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
