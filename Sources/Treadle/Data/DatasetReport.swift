/// What `treadle check` says about a dataset: how it is stored and read, and what will be slow.
package struct DatasetReport: Equatable, Sendable {
    package var lines: [String]
    /// Each with its remedy.
    package var warnings: [String]
}

extension Dataset {
    /// The report for rows in this precision and order, before anything has been kept in memory.
    package func report(precision: Precision, shuffle: Shuffle?) -> DatasetReport {
        var report = DatasetReport(lines: [], warnings: [])
        var arrays = [x]
        if case .values(let values) = targets { arrays.append(values) }
        for array in arrays {
            let shown = array.segments.prefix(4).map(\.report)
            report.lines += shown
            if array.segments.count > shown.count {
                report.lines.append("… and \(array.segments.count - shown.count) more files with \(array.path)")
            }
        }
        if case .classes(let labels) = targets {
            report.lines.append("\(labels.rows.count) labels of \(outputs) classes, kept in memory")
        }
        let bytes =
            precision == .float32
            ? ResidentRows<Float>.bytes(features, rows: range.count)
            : ResidentRows<Double>.bytes(features, rows: range.count)
        let fits = bytes <= settings.budget.left && settings.access != .mmap
        if fits {
            report.lines.append(
                "\(x.path) takes \(bytes.asBytes) as \(precision.rawValue): read once and kept in memory")
        } else if settings.access == .mmap {
            report.lines.append("\(x.path) is used where it is mapped, as data.access asks")
        } else {
            report.lines.append(
                "\(x.path) takes \(bytes.asBytes) as \(precision.rawValue), and data.memory_limit leaves \(settings.budget.left.asBytes): read batch by batch"
            )
        }
        report.warnings = fits ? [] : warnings(shuffle)
        return report
    }

    private func warnings(_ shuffle: Shuffle?) -> [String] {
        var warnings: [String] = []
        for segment in x.segments where segment.path == .chunks || segment.path == .library {
            let subject = "\(segment.file.path):\(x.path)"
            let remedy = "h5repack -l \(x.path):CONTI \(segment.file.path) contiguous.h5"
            if shuffle == .full {
                warnings.append(
                    "\(subject): shuffling decodes a chunk for almost every row, because the rows do not fit into memory; set data.shuffle to \"block\", raise data.memory_limit, or run: \(remedy)"
                )
            } else if segment.path == .library {
                warnings.append("\(subject): libhdf5 reads this form on one core; for more speed run: \(remedy)")
            }
            break
        }
        if shuffle == .full, warnings.isEmpty, x.segments.contains(where: { $0.path == .auto }) {
            warnings.append(
                "\(x.segments[0].file.path):\(x.path): shuffling reads single rows from all over the file, because they do not fit into memory; on a disk without fast random access set data.shuffle to \"block\""
            )
        }
        return warnings
    }
}
