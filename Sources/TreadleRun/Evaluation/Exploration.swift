package import TreadleBase
package import TreadleData
internal import TreadleModel

/// How a model uses its columns, and what the rows are like that it was asked about.
package struct Exploration: Sendable {
    package let importance: Importance
    /// Of the most important columns.
    package let dependences: [Dependence]
    /// Those of them that have no dependence: they are neither one number nor a few words, or have one value only.
    package let omitted: [Importance.Group]
    package let coefficients: [Coefficients]
    package let summary: DataSummary
    /// How far the rows lie from those that the model was trained on; nil where it is not normalized by them.
    package let drift: Drift?

    /// A page has room for so many columns, and looks the same for some thousand rows as for all.
    private static let mostColumns = 6
    private static let mostRows = 4096

    package init(_ model: TrainedModel, on rows: RowSet, workers: Workers, stop: Stop = Stop()) throws {
        importance = try Importance(
            of: model, on: rows, repeats: 3, most: Self.mostRows, workers: workers, stop: stop)
        let groups = importance.findings.prefix(Self.mostColumns).map(\.group)
        dependences = try Dependence.all(
            of: model, on: rows, groups: groups, most: 1024, workers: workers, stop: stop)
        let shown = Set(dependences.map(\.name))
        omitted = groups.filter { !shown.contains($0.name) }
        coefficients = Coefficients.all(model)
        summary = try DataSummary(rows, model.configuration)
        drift = Drift(from: model.saved.normalization, to: summary.normalization, names: summary.inputs.map(\.name))
    }
}
