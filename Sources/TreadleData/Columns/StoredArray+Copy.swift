internal import Glibc
internal import Synchronization

extension StoredArray {
    /// Whether a row of a batch has more numbers than the stored row.
    var growsWhenRead: Bool { segments.contains { $0.reading != nil && $0.width < width } }

    /// What `rows` take in memory in the form of their files.
    func heldBytes(_ rows: Range<Int>) -> Int {
        pieces(of: rows).reduce(0) { $0 + $1.local.count * $1.rowBytes }
    }

    /// These rows as copies in memory, in the form of their files; others must not be read from it.
    func copy(of rows: Range<Int>, _ settings: DatasetSettings) throws -> StoredArray {
        let region = try Region(count: heldBytes(rows), for: "\(rows.count) rows of \(path)")
        var copies = segments
        var starts = [Int](repeating: 0, count: segments.count)
        var end = 0
        for piece in pieces(of: rows) {
            let segment = segments[piece.segment]
            copies[piece.segment].reader = HeldRows(
                region, offset: end, rowBytes: piece.rowBytes, first: piece.local.lowerBound,
                number: segment.reader.number)
            starts[piece.segment] = end - piece.local.lowerBound * piece.rowBytes
            end += piece.local.count * piece.rowBytes
        }
        nonisolated(unsafe) let target = unsafe region.bytes
        let block = block(of: max(1, (1 << 20) / max(segments[0].width * 8, 1)))
        try RowSweep(settings).run(rows, block: block) { [starts] _, rows, scratch in
            unsafe try visit(rows, scratch) { bytes, form, rows in
                let local = rows.lowerBound - segments[form.segment].firstRow
                unsafe memcpy(
                    target + starts[form.segment] + local * form.rowBytes, bytes, rows.count * form.rowBytes)
            }
        }
        return StoredArray(
            path: path, rowShape: rowShape, segments: copies, width: width, names: names, isCopy: true)
    }

    /// The files' shares of `rows`.
    private func pieces(of rows: Range<Int>) -> [(segment: Int, local: Range<Int>, rowBytes: Int)] {
        segments.indices.compactMap { place in
            let segment = segments[place]
            let first = segment.firstRow
            let local = rows.clamped(to: first..<first + segment.rows)
            guard !local.isEmpty else { return nil }
            return (
                place, local.lowerBound - first..<local.upperBound - first, segment.width * segment.reader.number.size
            )
        }
    }
}
