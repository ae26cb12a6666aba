/// `treadle completions SHELL`: what Tab offers.
enum CompletionsCommand {
    private static let shell = Argument(
        "SHELL", "bash, zsh or fish", values: .choice(["bash", "zsh", "fish"]))

    static let command = Command(
        "completions", group: .program,
        summary: "write the completions of a shell to stdout",
        examples: [
            .init(
                "treadle completions bash > ~/.local/share/bash-completion/completions/treadle",
                "bash completes treadle's commands and options from the next shell on"),
            .init(
                "treadle completions zsh > \"${fpath[1]}/_treadle\"",
                "the same for zsh"),
            .init(
                "treadle completions fish > ~/.config/fish/completions/treadle.fish",
                "the same for fish"),
        ],
        arguments: [shell],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let commands = CommandTable.all
        let script =
            switch call.argument(shell) {
            case "bash": Completions.bash(commands)
            case "zsh": Completions.zsh(commands)
            default: Completions.fish(commands)
            }
        try call.output.write(script)
        return .done
    }
}
