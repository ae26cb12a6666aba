internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// What is found out about the training rows before the first step: the normalization, the rows that are dropped, and where
/// the bins of an embedding begin.
struct Measurements: Codable, Equatable {
    var normalization: Normalization
    var dropped: [Int]
    /// Of each column that is embedded by ramps, the quantiles that part its numbers into bins, in its own units.
    var quantiles: [[Double]]?

    /// Takes them, or has them from an earlier run on the same data: `directory` keeps them, where the first rank has one.
    static func take(
        _ dataset: Dataset, isTraining: @escaping @Sendable (Int) -> Bool, _ configuration: Configuration,
        _ fingerprint: String, _ directory: String?, _ ranks: Ranks
    ) throws -> Measurements {
        let data = configuration.data
        let needsX = [.standard, .robust, .minmax].contains(data.normalize) || data.nonFinite == .imputeMean
        let needsTargets =
            (data.normalizeTarget == .standard || data.clipPredictions) && configuration.task == .regression
        let embedding = configuration.model.embedding
        let bins = embedding?.type == .piecewise ? embedding?.bins : nil
        guard needsX || needsTargets || data.nonFinite == .dropRow || bins != nil else {
            return Measurements(normalization: try normalization(dataset, data, nil, nil, targets: nil), dropped: [])
        }
        let cache = directory.map { $0 + "/normalization.json" }
        let key = key(dataset, configuration, fingerprint)
        let kept = cache.flatMap { Kept.read($0) }.flatMap { $0.key == key ? $0.measurements : nil }
        if let known = try ranks.share(kept.map { [$0] } ?? []).first { return known }

        dataset.settings.note(.debug, "measuring \(dataset.range.count) rows")
        let scan = try DatasetScan(
            dataset, isTraining: isTraining, wantsX: needsX, wantsTargets: needsTargets, ranks: ranks)
        dataset.noteDropped(scan.dropped)
        if scan.imputed > 0 {
            let center = data.normalize == .robust ? "median" : "mean"
            dataset.settings.note(
                .warning,
                "\(scan.imputed) values that are not finite get their column's \(center); the first is \(scan.firstImputed ?? "")"
            )
        }
        let dropped = RowFilter(scan.dropped)
        let isCounted: @Sendable (Int) -> Bool = { isTraining($0) && !dropped.contains($0) }
        let quartiles =
            data.normalize == .robust
            ? try ColumnQuantiles(dataset, 1...3, of: 4, isCounted: isCounted, ranks: ranks).values : nil
        let quantiles = try bins.map { bins in
            try ColumnQuantiles(
                dataset, 0...bins, of: bins, places: dataset.numbers, isCounted: isCounted, ranks: ranks
            ).values
        }
        let measurements = Measurements(
            normalization: try normalization(
                dataset, data, needsX ? scan.x : nil, quartiles, targets: needsTargets ? scan.targets : nil),
            dropped: scan.dropped, quantiles: quantiles)
        if let cache { Kept(key: key, measurements: measurements).write(cache, dataset.settings) }
        return measurements
    }

    private static func normalization(
        _ dataset: Dataset, _ data: DataConfiguration, _ x: ColumnStatistics?, _ quartiles: [[Double]]?,
        targets: ColumnStatistics?
    ) throws -> Normalization {
        var result = Normalization()
        let columns = 0..<dataset.features
        switch data.normalize {
        case .none: break
        case .scale(let factor):
            result.shift = columns.map { _ in 0 }
            result.factor = columns.map { _ in factor }
        case .standard:
            guard let x else { break }
            result.shift = x.mean
            // A column that never changes is shifted to 0 and left in its own units.
            result.factor = columns.map { x.deviation($0).inverse }
        case .robust:
            guard let x, let quartiles else { break }
            result.shift = quartiles.map { $0[1] }
            result.factor = columns.map { column in
                // Where half of all numbers are the same, the quartiles may be too: then the whole range counts.
                let range = quartiles[column][2] - quartiles[column][0]
                let spread = range > 0 ? range : (x.high[column] - x.low[column]) / 2
                let factor = 1 / spread
                return x.count[column] > 0 && spread > 0 && factor.isFinite ? factor : 0
            }
            result.clip = columns.map { _ in data.smoothClip }
        case .minmax:
            guard let x else { break }
            result.shift = columns.map { x.count[$0] > 0 ? x.low[$0] : 0 }
            result.factor = columns.map { x.count[$0] > 0 ? (x.high[$0] - x.low[$0]).inverse : 1 }
        }
        if data.nonFinite == .imputeMean, let x {
            if let empty = columns.first(where: { x.count[$0] == 0 }) {
                dataset.settings.note(
                    .warning, "\(dataset.x.columnName(empty)) of \(dataset.x.path) has no finite value; it counts as 0")
            }
            result.imputation = quartiles?.map { $0[1] } ?? x.mean
        }
        if let targets, data.normalizeTarget == .standard {
            result.targetShift = targets.mean
            result.targetFactor = targets.mean.indices.map { targets.deviation($0).inverse }
        }
        if let targets, data.clipPredictions, targets.count.allSatisfy({ $0 > 0 }) {
            result.targetLow = targets.low
            result.targetHigh = targets.high
        }
        if let x, let inputs = dataset.schema?.inputs, inputs.contains(where: \.isShare), inputs.count == x.mean.count {
            result.shares = zip(inputs, x.mean).map { $0.isShare ? $1 : -1 }
        }
        if let isNumber = dataset.isNumber { result.spare(columns.filter { !isNumber[$0] }) }
        guard result.named.allSatisfy({ $0.values.allSatisfy(\.isFinite) }) else {
            throw TreadleError(
                .badData,
                "\(dataset.files[0].path):\(dataset.x.path): the numbers are too large to be measured in Float64; scale the data"
            )
        }
        return result
    }

    /// All that the result depends on.
    private static func key(_ dataset: Dataset, _ configuration: Configuration, _ fingerprint: String) -> String {
        let data = configuration.data
        // The fingerprint samples; the files' times catch what it does not see.
        let files = dataset.files.map { "\($0.path) \($0.identity)" }
        let fraction =
            if case .fraction(let fraction) = data.valid { "\(fraction) \(configuration.seed)" } else { "all" }
        let test = if let test = data.test, test.dataSource == nil { " \(test) \(configuration.seed)" } else { "" }
        var parts = [
            "measurements 3\(test)", fingerprint, "\(dataset.range)", fraction, "\(data.normalize)",
            "\(data.normalizeTarget)", "\(data.smoothClip)", "\(data.clipPredictions)", "\(data.nonFinite)",
            "\(configuration.task)",
        ]
        let embedding = configuration.model.embedding
        if let embedding, embedding.type == .piecewise { parts.append("bins \(embedding.bins)") }
        return Fingerprint.digest(of: (parts + files).joined(separator: "\n"))
    }

    /// The file that keeps them.
    private struct Kept: Codable {
        var key: String
        var measurements: Measurements

        static func read(_ path: String) -> Kept? {
            guard let bytes = try? FileSystem.contents(of: path) else { return nil }
            return try? JSONDecoder().decode(Kept.self, from: bytes)
        }

        func write(_ path: String, _ settings: DatasetSettings) {
            guard measurements.dropped.count <= 1 << 20 else { return }
            do {
                let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
                try DurableFile.write(text + "\n", to: path)
            } catch {
                settings.note(.debug, "the normalization is not kept for the next run: \(error)")
            }
        }
    }
}

extension Double {
    /// 1 ÷ this, and 1 where that is infinite: for spreads of columns that never change.
    fileprivate var inverse: Double {
        let inverse = 1 / self
        return self > 0 && inverse.isFinite ? inverse : 1
    }
}
