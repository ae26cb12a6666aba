internal import TreadleBase
package import TreadleConfiguration
package import TreadleModel

/// What the inputs of rows are like, one after another.
package struct DataSummary: Sendable {
    package struct Input: Equatable, Sendable {
        package var name: String
        /// Rows without a value.
        package var missing: Int
        /// Of the others; NaN where there are none.
        package var low: Double
        package var mean: Double
        package var high: Double
        package var deviation: Double
    }

    package let rows: Int
    package let inputs: [Input]
    package let schema: TableSchema?
    /// What `configuration` makes of these rows, as if they were to be learnt from.
    package let normalization: Normalization

    /// Reads all rows once, or twice for robust normalization.
    package init(_ rows: RowSet, _ configuration: Configuration) throws {
        let dataset = rows.dataset
        let selection = rows.selection
        let isCounted: @Sendable (Int) -> Bool = { selection.contains($0) }
        let scan = try DatasetScan(
            dataset, isTraining: isCounted, wantsX: true, wantsTargets: false, ranks: .alone)
        let found = scan.x ?? ColumnStatistics(width: dataset.features)
        normalization = try Measurements.take(
            dataset, isTraining: isCounted, configuration, "", nil, .alone
        ).normalization
        self.rows = rows.count
        schema = dataset.schema
        let names = dataset.columns
        inputs = (0..<dataset.features).map { place in
            let count = Int(found.count[place])
            return Input(
                name: names?[place] ?? "input \(place)", missing: rows.count - count,
                low: count > 0 ? found.low[place] : .nan, mean: count > 0 ? found.mean[place] : .nan,
                high: count > 0 ? found.high[place] : .nan, deviation: count > 0 ? found.deviation(place) : .nan)
        }
    }
}
