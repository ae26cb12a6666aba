internal import TreadleBase

extension Ranks {
    /// Does this process's part of work that several ranks share, and ends it together with theirs.
    ///
    /// The first rank speaks for all: its exit code is the job's, and an error that all ranks meet is told once. A rank
    /// that fails alone says so under its own name, and ends the job.
    static func work(_ log: Log, _ body: (Ranks) throws -> ExitCode) throws -> ExitCode {
        let ranks = try Ranks.join()
        do {
            let code = try body(ranks)
            try ranks.check()
            ranks.leave()
            // The launcher ends the job at the first code that is not 0: no rank must cut the first one short.
            return ranks.isFirst ? code : .done
        } catch {
            if ranks.isAlone { throw error }
            if ranks.haveAllFailed() {
                ranks.leave()
                if ranks.isFirst { throw error }
                return .done
            }
            let failure = error as? TreadleError ?? TreadleError(.bug, "\(error)")
            log.showLive(nil)
            let prefix = ranks.hasLostOthers ? "" : "\(ranks.name): "
            for message in failure.messages { log.error(prefix + message) }
            ranks.abort(code: failure.exitCode)
        }
    }
}
