internal import TreadleBase
package import TreadleConfiguration
package import TreadleModel

/// What `treadle check` says about a dataset: how it is stored and read, and what will be slow.
package struct DatasetReport: Equatable, Sendable {
    package var lines: [String]
    /// Each with its remedy.
    package var warnings: [String]
}

extension Dataset {
    /// The report for rows of these numbers and order, before anything has been kept in memory.
    ///
    /// `windowRows` are the rows of a window of the block shuffle.
    package func report(numbers: NumberType, shuffle: Shuffle?, windowRows: Int = 0) -> DatasetReport {
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
            x.growsWhenRead
            ? x.heldBytes(range)
            : numbers == .float32
                ? ResidentRows<Float>.bytes(features, rows: range.count)
                : ResidentRows<Double>.bytes(features, rows: range.count)
        let form = x.growsWhenRead ? "it is stored" : numbers.rawValue
        let fits = bytes <= settings.budget.left && settings.access != .mmap
        if fits {
            report.lines.append(
                "\(x.path) takes \(bytes.asBytes) as \(form): read once and kept in memory")
        } else if settings.access == .mmap {
            report.lines.append("\(x.path) is used where it is mapped, as data.access asks")
        } else {
            report.lines.append(
                "\(x.path) takes \(bytes.asBytes) as \(form), and data.memory_limit leaves \(settings.budget.left.asBytes): read batch by batch"
            )
        }
        report.warnings = fits ? [] : warnings(shuffle, windowRows: windowRows)
        return report
    }

    /// What is slow about reading batch by batch in this order, and how to mend it.
    func warnings(_ shuffle: Shuffle?, windowRows: Int) -> [String] {
        guard let slow = x.segments.first(where: { $0.path == .chunks || $0.path == .library }) else {
            guard shuffle == .full, settings.access != .mmap else { return [] }
            return [
                "\(x.segments[0].file.path):\(x.path): shuffling reads single rows from all over the file, because they do not fit into memory; on a disk without fast random access set data.shuffle to \"block\""
            ]
        }
        let subject = "\(slow.file.path):\(x.path)"
        // A file that libhdf5 reads because it was asked to may well lie in one piece already.
        let remedy =
            settings.access == .library
            ? "set data.access to \"auto\""
            : "run: h5repack -l \(x.path):CONTI \(slow.file.path) contiguous.h5"
        let decoded = slow.width.multipliedReportingOverflow(by: slow.reader.number.size).partialValue
        let room = max(cache.room, settings.budget.left - settings.budget.limit / 10)
        switch shuffle {
        case .full where range.count > room / decoded:
            return [
                "\(subject): shuffling decodes a chunk for almost every row, because the rows do not fit into memory; set data.shuffle to \"block\", raise data.memory_limit, or \(remedy)"
            ]
        case .block where min(windowRows, range.count) > room / decoded:
            return [
                "\(subject): a shuffle window takes \((windowRows * decoded).asBytes) decoded, and data.memory_limit leaves \(room.asBytes), so that chunks are decoded again and again; lower data.shuffle_window or data.shuffle_block, raise data.memory_limit, or \(remedy)"
            ]
        default:
            guard slow.path == .library else { return [] }
            return ["\(subject): libhdf5 reads this form on one core; for more speed \(remedy)"]
        }
    }
}
