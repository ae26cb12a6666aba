internal import Treadle

/// The program `treadle`.
@main
struct Main {
    static func main() {
        var line = Array(CommandLine.arguments.dropFirst())
        if line.first == GuardedProcess.argument { GuardedProcess.serve(line) }
        let isSupervised = line.first == SupervisedProcess.argument
        if isSupervised {
            SupervisedProcess.begin()
            line.removeFirst()
        }
        Program(commands: CommandTable.all, isSupervised: isSupervised).runToExit(line)
    }
}
