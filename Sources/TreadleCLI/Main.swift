/// The program `treadle`.
@main
struct Main {
    static func main() {
        Program(commands: CommandTable.all).runToExit(Array(CommandLine.arguments.dropFirst()))
    }
}
