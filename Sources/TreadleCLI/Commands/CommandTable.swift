/// Every command of the program, in the order in which help lists them within their groups.
enum CommandTable {
    static let all: [Command] = [
        ImportCommand.command,
        InitCommand.command,
        GenerateCommand.command,
        CheckCommand.command,
        GradcheckCommand.command,
        TrainCommand.command,
        RetrainCommand.command,
        EvalCommand.command,
        PredictCommand.command,
        ExportCommand.command,
        InspectCommand.command,
        DiffCommand.command,
        PlotCommand.command,
        RunsCommand.command,
        VerifyCommand.command,
        ReproduceCommand.command,
        BenchCommand.command,
        CompletionsCommand.command,
        ManualCommand.command,
    ]
}
