/// What shells need to complete a command line, from the table of commands.
enum Completions {
    /// `-o` and `--output`, as typed.
    private static func spellings(_ option: Option) -> [String] {
        (option.short.map { ["-\($0)"] } ?? []) + ["--\(option.long)"]
    }

    // MARK: - bash

    static func bash(_ commands: [Command]) -> String {
        let names = (commands.map(\.name) + ["help", "--help", "--version"]).joined(separator: " ")
        var script = """
            # bash completion for treadle; written by "treadle completions bash".
            _treadle() {
                local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
                COMPREPLY=()
                if [ "$COMP_CWORD" -eq 1 ]; then
                    COMPREPLY=($(compgen -W "\(names)" -- "$word"))
                    return
                fi
                case $command in
                    help)
                        COMPREPLY=($(compgen -W "\(commands.map(\.name).joined(separator: " "))" -- "$word"))
                        return ;;

            """
        for command in commands { script += bashCase(command) }
        script += """
                esac
            }
            complete -o filenames -F _treadle treadle

            """
        return script
    }

    private static func bashCase(_ command: Command) -> String {
        let indent = String(repeating: " ", count: 8)
        let options = command.allOptions
        var text = "\(indent)\(command.name))\n"
        let valued = options.filter(\.takesValue)
        text += "\(indent)    case $previous in\n"
        for option in valued {
            let patterns = spellings(option).joined(separator: "|")
            text += "\(indent)        \(patterns)) \(bashReply(option.values)); return ;;\n"
        }
        text += "\(indent)    esac\n"
        let words = options.flatMap(spellings).joined(separator: " ")
        text += "\(indent)    if [[ $word == -* ]]; then\n"
        text += "\(indent)        COMPREPLY=($(compgen -W \"\(words)\" -- \"$word\"))\n"
        text += "\(indent)    else\n"
        text += "\(indent)        \(bashReply(command.arguments.first?.values ?? .text))\n"
        text += "\(indent)    fi ;;\n"
        return text
    }

    private static func bashReply(_ values: ValueKind) -> String {
        switch values {
        // One name a line, so that names with spaces stay whole.
        case .file: "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
        case .choice(let choices): "COMPREPLY=($(compgen -W \"\(choices.joined(separator: " "))\" -- \"$word\"))"
        case .text: "COMPREPLY=()"
        }
    }

    // MARK: - zsh

    static func zsh(_ commands: [Command]) -> String {
        var script = """
            #compdef treadle
            # zsh completion for treadle; written by "treadle completions zsh".
            _treadle() {
                local -a commands
                commands=(

            """
        for command in commands {
            script += "        \(quoted("\(command.name):\(command.summary)"))\n"
        }
        script += """
                )
                if (( CURRENT == 2 )); then
                    _describe command commands
                    _arguments '--help[show the help]' '--version[show the version]'
                    return
                fi
                local command=$words[2]
                shift words
                (( CURRENT-- ))
                case $command in

            """
        for command in commands {
            var parts = command.allOptions.flatMap(zshOption)
            for argument in command.arguments {
                let count = argument.count == .oneOrMore ? "*" : ""
                let optional = argument.count == .optional ? ":" : ""
                parts.append(quoted("\(count):\(optional)\(escapedZsh(argument.name)):\(zshAction(argument.values))"))
            }
            script += "        \(command.name)) _arguments -s \\\n"
            script += parts.map { "            \($0)" }.joined(separator: " \\\n") + " ;;\n"
        }
        script += """
                esac
            }
            if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
                _treadle "$@"
            else
                compdef _treadle treadle
            fi

            """
        return script
    }

    private static func zshOption(_ option: Option) -> [String] {
        spellings(option).map { spelling in
            let many = option.isRepeatable ? "*" : ""
            let long = spelling.hasPrefix("--") && option.takesValue ? "=" : ""
            let summary = escapedZsh(option.summary)
            let value = option.valueName.map { ":\(escapedZsh($0)):\(zshAction(option.values))" } ?? ""
            return quoted("\(many)\(spelling)\(long)[\(summary)]\(value)")
        }
    }

    private static func zshAction(_ values: ValueKind) -> String {
        switch values {
        case .file: "_files"
        case .choice(let choices): "(\(choices.joined(separator: " ")))"
        case .text: " "
        }
    }

    private static func escapedZsh(_ text: String) -> String {
        text.map { "[]:\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    // MARK: - fish

    static func fish(_ commands: [Command]) -> String {
        var script = """
            # fish completion for treadle; written by "treadle completions fish".
            complete -c treadle -f
            complete -c treadle -n __fish_use_subcommand -l help -d 'show the help'
            complete -c treadle -n __fish_use_subcommand -l version -d 'show the version'

            """
        for command in commands {
            script += "complete -c treadle -n __fish_use_subcommand -a \(command.name)"
            script += " -d \(quoted(command.summary))\n"
            let condition = "-n '__fish_seen_subcommand_from \(command.name)'"
            for option in command.allOptions {
                let short = option.short.map { " -s \($0)" } ?? ""
                let value = option.takesValue ? " " + fishValue(option.values, required: true) : ""
                script += "complete -c treadle \(condition)\(short) -l \(option.long)\(value)"
                script += " -d \(quoted(option.summary))\n"
            }
            if let argument = command.arguments.first, argument.values != .text {
                script += "complete -c treadle \(condition) \(fishValue(argument.values, required: false))\n"
            }
        }
        return script
    }

    private static func fishValue(_ values: ValueKind, required: Bool) -> String {
        let requires = required ? "r" : ""
        return switch values {
        case .file: "-\(requires)F"
        case .choice(let choices): "-\(required ? "x" : "f") -a '\(choices.joined(separator: " "))'"
        case .text: required ? "-x" : "-f"
        }
    }

    /// The text within single quotes, as every shell reads it.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
