internal import TreadleBase

/// The man page treadle(1), in roff, from the table of commands.
struct ManualPage {
    let commands: [Command]

    var text: String {
        var page = ".TH TREADLE 1 \"\" \"treadle \(Treadle.version)\" \"User Commands\"\n"
        page += ".SH NAME\ntreadle \\- \(Self.escaped(HelpText.synopsis))\n"
        page += ".SH SYNOPSIS\n.B treadle\n.I COMMAND\n[options] [arguments]\n"
        page += ".SH DESCRIPTION\n" + Self.line(HelpText.promise)
        page += ".SH COMMANDS\n" + commands.map(section).joined()
        page += ".SH OPTIONS OF EVERY COMMAND\n" + Option.everywhere.map(item).joined()
        page += ".SH ENVIRONMENT\n"
        for variable in HelpText.environment { page += Self.item(variable.name, variable.does) }
        page += ".SH EXIT STATUS\n"
        for exit in HelpText.exitCodes { page += Self.item(exit.code, exit.means) }
        return page
    }

    private func section(_ command: Command) -> String {
        var text = ".SS \(Self.escaped(command.usage))\n"
        text += Self.line(command.summary.prefix(1).uppercased() + command.summary.dropFirst() + ".")
        for paragraph in command.discussion { text += ".PP\n" + Self.line(paragraph) }
        for argument in command.arguments { text += Self.item(argument.name, argument.summary) }
        for option in command.options { text += item(option) }
        for example in command.examples {
            text += ".PP\n" + Self.line(example.does.prefix(1).uppercased() + example.does.dropFirst() + ":")
            text += ".PP\n.nf\n.RS 4\n" + Self.line(example.line) + ".RE\n.fi\n"
        }
        return text
    }

    private func item(_ option: Option) -> String {
        let names = (option.short.map { "-\($0), " } ?? "") + "--\(option.long)"
        let summary = option.isRepeatable ? option.summary + "; may be repeated" : option.summary
        return Self.item(option.valueName.map { "\(names) \($0)" } ?? names, summary)
    }

    private static func item(_ term: String, _ text: String) -> String {
        ".TP\n\\fB\(escaped(term))\\fR\n" + line(text)
    }

    /// Text as a line of its own, on which no character is a request.
    private static func line(_ text: some StringProtocol) -> String {
        let escaped = escaped(String(text))
        return (escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" : "") + escaped + "\n"
    }

    /// roff's name of a character beyond ASCII, which it reads whatever the encoding of the page.
    private static func named(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
    }

    /// Characters that roff would read as something else: a hyphen for a dash, quotes turned round, escapes.
    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "\\": "\\e"
            case "-": "\\-"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "^": "\\(ha"
            case "~": "\\(ti"
            case "\"": "\\(dq"
            case "…": ".\\|.\\|."
            default: character.isASCII ? String(character) : character.unicodeScalars.map(named).joined()
            }
        }.joined()
    }
}
