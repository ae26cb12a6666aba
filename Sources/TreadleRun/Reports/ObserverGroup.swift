package import TreadleBase
package import TreadleData

/// Several observers that are told the same things, in order.
package final class ObserverGroup: TrainingObserver {
    private let members: [any TrainingObserver]

    package init(_ members: [any TrainingObserver]) {
        self.members = members
    }

    package func note(_ level: LogLevel, _ message: String) {
        for member in members { member.note(level, message) }
    }

    package func began(_ overview: RunOverview) {
        for member in members { member.began(overview) }
    }

    package func stepped(_ report: StepReport) {
        for member in members { member.stepped(report) }
    }

    package func epochEnded(_ record: EpochRecord) {
        for member in members { member.epochEnded(record) }
    }

    package func checkpointed(_ path: String, at cursor: Cursor) {
        for member in members { member.checkpointed(path, at: cursor) }
    }

    package func finished(_ summary: RunSummary) {
        for member in members { member.finished(summary) }
    }
}
