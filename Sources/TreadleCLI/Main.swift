internal import Treadle

/// The program `treadle`.
@main
struct Main {
    static func main() {
        let line = Array(CommandLine.arguments.dropFirst())
        if line.first == GuardedProcess.argument { GuardedProcess.serve(line) }
        Program(commands: CommandTable.all).runToExit(line)
    }
}
