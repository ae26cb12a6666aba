internal import TreadleBase
internal import TreadleConfiguration

/// How much each row of a range counts.
@safe final class RowWeights: @unchecked Sendable {
    private let region: Region
    let values: UnsafeMutablePointer<Double>

    init(
        _ path: String, _ files: [DataFile], _ rows: Range<Int>, _ settings: DatasetSettings, _ x: StoredArray,
        _ cache: BandCache
    ) throws {
        let array = try StoredArray.open(path, in: files, access: .auto, cache: cache, settings: settings)
        try Dataset.checkRows(path, array.segments.map(\.rows), files, x)
        guard array.width == 1 else {
            throw TreadleError(.badData, "\(files[0].path):\(path): has \(array.width) columns; a row has one weight")
        }
        let size = rows.count * MemoryLayout<Double>.stride
        guard settings.budget.claim(size) else {
            throw TreadleError(
                .badData,
                "\(path): the weights of \(rows.count) rows take \(size.asBytes), more than data.memory_limit (\(settings.budget.limit.asBytes)) leaves; raise it"
            )
        }
        region = try Region(count: size, for: path)
        unsafe values = unsafe region.bytes.bindMemory(to: Double.self, capacity: rows.count)
        nonisolated(unsafe) let target = unsafe values
        let first = rows.lowerBound
        try RowSweep(settings).run(rows, block: 1 << 16) { _, rows, scratch in
            unsafe try array.visit(rows, scratch) { bytes, form, rows in
                let start = unsafe target + (rows.lowerBound - first)
                _ = unsafe ColumnTransform.identity.convert(bytes, form.number, width: rows.count, into: start)
                for (index, row) in rows.enumerated() {
                    let weight = unsafe start[index]
                    guard weight.isFinite, weight >= 0 else {
                        throw TreadleError(
                            .badData, "\(array.subject(row)): weight \(weight) is not a number from 0; correct it")
                    }
                }
            }
        }
        guard (0..<rows.count).contains(where: { unsafe values[$0] > 0 }) else {
            throw TreadleError(.badData, "\(files[0].path):\(path): all weights are 0; nothing would be learnt")
        }
    }
}
