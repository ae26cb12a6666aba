internal import CDecode
internal import HDF5
internal import TreadleBase

/// What the rows of a dataset should be recognized as.
enum TargetTable: Sendable {
    case none
    case classes(Labels)
    case values(StoredArray)
}

/// One class number a row, for a range of rows.
@safe final class Labels: @unchecked Sendable {
    let rows: Range<Int>
    private let region: Region
    /// The first row's.
    let numbers: UnsafeMutablePointer<Int32>

    init(_ rows: Range<Int>, _ subject: String, budget: MemoryBudget) throws {
        self.rows = rows
        let size = rows.count * MemoryLayout<Int32>.stride
        guard budget.claim(size) else {
            throw TreadleError(
                .badData,
                "\(subject): the labels of \(rows.count) rows take \(size.asBytes), more than data.memory_limit (\(budget.limit.asBytes)) leaves; raise it"
            )
        }
        region = try Region(count: size, for: subject)
        unsafe numbers = unsafe region.bytes.bindMemory(to: Int32.self, capacity: rows.count)
    }

    subscript(row: Int) -> Int {
        get {
            precondition(rows.contains(row), "labels are asked for rows they have")
            return Int(unsafe numbers[row - rows.lowerBound])
        }
        set {
            precondition(rows.contains(row), "labels are set for rows they have")
            unsafe numbers[row - rows.lowerBound] = Int32(newValue)
        }
    }
}

extension Labels {
    /// More classes than this are rather a quantity than a name.
    private static let mostClasses = 1 << 20

    /// Reads class numbers, or rows with a single 1 in the column of the class.
    ///
    /// `limit` is the number of classes where that is known already, and `what` tells where it comes from. A file that names
    /// its classes has an entry in `names` that tells which they are of those known.
    static func numbers(
        _ array: StoredArray, rows: Range<Int>, limit: Int?, what: String, names: [ClassMatch?],
        settings: DatasetSettings
    ) throws -> Labels {
        let labels = try Labels(rows, array.path, budget: settings.budget)
        let width = array.width
        try RowSweep(settings).run(rows, block: 1 << 16) { _, rows, scratch in
            unsafe try array.visit(rows, scratch) { bytes, form, rows in
                let values = unsafe StoredArray.doubles(bytes, form.number, width: rows.count * width)
                let match = names[form.segment]
                let limit = match?.count ?? limit
                for (index, row) in rows.enumerated() {
                    let label =
                        width == 1 ? values[index] : try oneHot(values[index * width..<(index + 1) * width], array, row)
                    guard label >= 0, label < Double(limit ?? mostClasses), label == label.rounded() else {
                        throw refusal(label, limit: limit, what: what, array.subject(row))
                    }
                    labels[row] = try match?.number(of: Int(label), array.subject(row)) ?? Int(label)
                }
            }
        }
        return labels
    }

    /// What is wrong with a label that is no class number.
    private static func refusal(_ label: Double, limit: Int?, what: String, _ subject: String) -> TreadleError {
        guard label == label.rounded(), label.isFinite else {
            return TreadleError(
                .badData,
                "\(subject): label \(label) is not a whole number; store class numbers from 0, or set task to \"regression\" for a quantity"
            )
        }
        let shown = abs(label) < 0x1p53 ? "\(Int(label))" : "\(label)"
        guard label >= 0 else {
            return TreadleError(.badData, "\(subject): label \(shown) is negative; class numbers count from 0")
        }
        let most = limit ?? mostClasses
        let why =
            limit == nil
            ? "more than a million classes are not supported" : "\(what) has \(most) classes, 0 to \(most - 1)"
        return TreadleError(
            .badData,
            "\(subject): label \(shown) is out of range: \(why); correct it, or set task to \"regression\" for a quantity"
        )
    }

    /// The place of the single 1 among zeros.
    private static func oneHot(_ values: ArraySlice<Double>, _ array: StoredArray, _ row: Int) throws -> Double {
        if let place = values.firstIndex(of: 1), values.count(where: { $0 == 0 }) == values.count - 1 {
            return Double(place - values.startIndex)
        }
        throw TreadleError(
            .badData,
            "\(array.subject(row)): \(values.count) columns as targets of a classification need a single 1 and zeros; set task to \"multilabel\" for several 1, or \"regression\" for quantities"
        )
    }

    /// The largest label, or -1 without rows.
    var largest: Int {
        var largest: Int32 = -1
        for index in 0..<rows.count { largest = max(largest, unsafe numbers[index]) }
        return Int(largest)
    }
}

extension Labels {
    /// Reads labels that are text. Without `known` names, the names are those that occur, sorted by their bytes.
    static func texts(
        _ path: String, in files: [DataFile], rows: Range<Int>, known: [String]?, settings: DatasetSettings
    ) throws -> (labels: Labels, names: [String]) {
        let labels = try Labels(rows, path, budget: settings.budget)
        var names = known ?? []
        var numbers: [String: Int] = [:]
        for (number, name) in names.enumerated() { numbers[name] = number }
        var firstRow = 0
        for file in files {
            let dataset = try file.dataset(path)
            let count = dataset.shape.first ?? 0
            let wanted = rows.clamped(to: firstRow..<firstRow + count)
            for lower in stride(from: wanted.lowerBound, to: wanted.upperBound, by: 1 << 16) {
                try settings.stop.check()
                let block = lower - firstRow..<min(lower + 1 << 16, wanted.upperBound) - firstRow
                let texts: [String]
                do {
                    texts = try dataset.readStrings(rows: block)
                } catch {
                    throw TreadleError(reading: error)
                }
                for (row, text) in zip(block, texts) {
                    if let number = numbers[text] {
                        labels[firstRow + row] = number
                    } else if known == nil {
                        numbers[text] = names.count
                        labels[firstRow + row] = names.count
                        names.append(text)
                    } else {
                        throw TreadleError(
                            .badData,
                            "\(file.path):\(path) row \(row): \"\(text.prefix(80))\" is none of the \(names.count) classes (\(names.prefix(5).joined(separator: ", "))\(names.count > 5 ? ", …" : "")); correct it, or train with data that has it"
                        )
                    }
                }
            }
            firstRow += count
        }
        guard known == nil else { return (labels, names) }
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var places: [String: Int32] = [:]
        for (place, name) in sorted.enumerated() { places[name] = Int32(place) }
        let renumbered = names.map { places[$0] ?? 0 }
        for index in 0..<rows.count {
            unsafe labels.numbers[index] = renumbered[Int(labels.numbers[index])]
        }
        return (labels, sorted)
    }
}
