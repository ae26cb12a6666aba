/// What the command line asks for.
struct Options {
    var workloads: [Workload] = Workload.all
    var threads = 1
    var seconds = 1.0
    var rounds = 5
    var isJSON = false
    var isWall = false
    /// So many steps of each workload, and nothing is timed: for those who count instructions.
    var steps: Int?

    static let usage = """
        usage: TreadleBenchmarks [--workload NAME]… [--threads N] [--seconds S] [--rounds N] [--wall] [--json]
               TreadleBenchmarks --steps N [--workload NAME]… [--threads N]
               TreadleBenchmarks peer JOB.json5 WEIGHTS.h5 THREADS
               TreadleBenchmarks predict MODEL.h5 ROWS THREADS
        Times whole training steps from data in memory: the median of interleaved runs. As `peer` and `predict` it is one of the systems
        that Scripts/benchmark compares.
          --workload NAME   \(Workload.all.map(\.name).joined(separator: ", ")); all unless given
          --threads N       workers; 1 unless given
          --seconds S       for each run; 1 unless given
          --rounds N        runs of each workload, interleaved; 5 unless given
          --wall            wall time also for one thread, which is timed by its own CPU time otherwise
          --json            one object on stdout
          --steps N         trains N steps and says nothing: for profilers and for counting instructions
        """

    /// Nil where the arguments make no sense.
    init?(_ arguments: [String]) {
        var chosen: [Workload] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--json": isJSON = true
            case "--wall": isWall = true
            case "--workload":
                guard let name = rest.popFirst(), let found = Workload.all.first(where: { $0.name == name }) else {
                    return nil
                }
                chosen.append(found)
            case "--steps":
                guard let value = rest.popFirst().flatMap(Int.init), value >= 1 else { return nil }
                steps = value
            case "--threads":
                guard let value = rest.popFirst().flatMap(Int.init), value >= 1 else { return nil }
                threads = value
            case "--rounds":
                guard let value = rest.popFirst().flatMap(Int.init), value >= 1 else { return nil }
                rounds = value
            case "--seconds":
                guard let value = rest.popFirst().flatMap(Double.init), value > 0 else { return nil }
                seconds = value
            default: return nil
            }
        }
        if !chosen.isEmpty { workloads = chosen }
    }
}
