internal import TreadleBase
internal import TreadleData
internal import TreadleRun
internal import TreadleTools

extension GuardedHelper {
    /// This program, which does guarded work in a process of its own.
    static let program = GuardedHelper("/proc/self/exe")
}

/// The program `treadle`.
@main
struct Main {
    /// What a process that looks at a file of unknown origin can be asked for.
    private static var works: [any GuardedWork.Type] {
        [
            FileTree.Listing.self, FileSurvey.Work.self, SlicedArray.Work.self, CheckpointFile.Work.self,
            DataTrial.Work.self, HDF5Numbers.self,
        ]
    }

    static func main() {
        Signals.hold()
        let line = Array(CommandLine.arguments.dropFirst())
        if GuardedService.isWork(line) {
            Signals.release()
            GuardedService.serve(line, works: works)
        }
        let command = GuardedService.command(in: line)
        Program(commands: CommandTable.all, isGuarded: command != nil).runToExit(command ?? line)
    }
}
