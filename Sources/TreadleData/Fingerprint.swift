internal import CDecode
internal import TreadleBase
internal import TreadleConfiguration

/// A digest that identifies the numbers of a dataset, not their storage.
///
/// It covers how many rows and columns there are, their and the classes' names, a table's schema, every class number and
/// weight, and the inputs of sampled rows, widened to doubles: the same data compressed, converted to another exact type,
/// stored in the other byte order, with the columns of later files in another order or cut into other files has the same
/// fingerprint, wherever the files lie.
package enum Fingerprint {
    /// Rows whose values are looked at, besides the first and the last few: 100 GB take no longer than 1 GB.
    private static let sampledRows = 192
    private static let edgeRows = 32

    /// The fingerprint of one dataset; `full` looks at every row.
    package static func of(_ dataset: Dataset, full: Bool) throws -> String {
        var hash = SHA256()
        hash.add("treadle data 1\n\(full ? "full" : "sampled")\n")
        hash.add("rows \(dataset.range.count), columns \(dataset.features)\n")
        if let names = dataset.columns { hash.add("names \(names)\n") }
        if let schema = dataset.schema { hash.add("schema \(schema.text)\n") }
        try hash.add(dataset.x, dataset, full: full)
        switch dataset.targets {
        case .none: hash.add("no targets\n")
        case .classes(let labels):
            hash.add("classes \(dataset.outputs) \(dataset.classes ?? [])\n")
            unsafe hash.add(unsafe UnsafeRawBufferPointer(start: labels.numbers, count: labels.rows.count * 4))
        case .values(let values):
            hash.add("targets \(values.width)\n")
            try hash.add(values, dataset, full: full)
        }
        if let weights = dataset.weights {
            hash.add("weights\n")
            unsafe hash.add(unsafe UnsafeRawBufferPointer(start: weights.values, count: dataset.range.count * 8))
        }
        return hash.hexadecimal
    }

    /// One fingerprint for several datasets, in their order.
    package static func combined(_ datasets: [Dataset], full: Bool) throws -> String {
        let each = try datasets.map { try of($0, full: full) }
        return each.count == 1 ? each[0] : digest(of: each.joined(separator: "\n"))
    }

    package static func digest(of text: String) -> String {
        var hash = SHA256()
        hash.add(text)
        return hash.hexadecimal
    }

    /// The rows that are looked at: the first, the last, and some between that the number of rows decides.
    fileprivate static func sample(_ range: Range<Int>) -> [Int] {
        guard range.count > sampledRows + 2 * edgeRows else { return Array(range) }
        let philox = Philox(seed: UInt64(range.count), purpose: .sampling)
        var rows = Set(range.prefix(edgeRows)).union(range.suffix(edgeRows))
        for index in 0..<sampledRows {
            let words = philox.words(at: UInt64(index))
            let random = UInt64(words[1]) << 32 | UInt64(words[0])
            rows.insert(range.lowerBound + Int(random.multipliedFullWidth(by: UInt64(range.count)).high))
        }
        return rows.sorted()
    }
}

extension SHA256 {
    fileprivate mutating func add(_ text: String) {
        add(Array(text.utf8))
    }

    fileprivate mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(unsafe bytes.bytes)
    }

    /// The digest of blocks of rows, each digested on its own.
    fileprivate mutating func add(_ array: StoredArray, _ dataset: Dataset, full: Bool) throws {
        guard full else {
            let sample = Fingerprint.sample(dataset.range)
            let rows = try RowSweep(dataset.settings).map(sample.indices, block: 1) { index, _, scratch in
                try array.doubles(sample[index], scratch)
            }
            for values in rows {
                unsafe values.withUnsafeBytes { unsafe add(UnsafeRawBufferPointer($0)) }
            }
            return
        }
        let digests = try RowSweep(dataset.settings).map(dataset.range, block: 4096) { _, rows, scratch in
            var hash = SHA256()
            unsafe try array.forEachRow(rows, scratch) { _, values, _, _, _ in
                unsafe hash.add(UnsafeRawBufferPointer(start: values, count: array.width * 8))
            }
            return hash.digest
        }
        for digest in digests { add(digest) }
    }
}

extension StoredArray {
    /// One row's numbers.
    fileprivate func doubles(_ row: Int, _ scratch: ReadScratch) throws -> [Double] {
        var values: [Double] = []
        unsafe try visit(row..<row + 1, scratch) { bytes, form, _ in unsafe values = inputs(bytes, form) }
        return values
    }
}

extension Ranks {
    /// Throws, naming the rank, where one trains something else than the first: another program, job or data.
    func checkAlike(_ configuration: Configuration, data fingerprint: String, test: Dataset?) throws {
        guard !isAlone else { return }
        let metrics = configuration.metrics.map(\.rawValue).joined(separator: " ")
        let tested = try test.map { try Fingerprint.of($0, full: false) } ?? "none"
        let own = [Treadle.version, configuration.meaningText, metrics, fingerprint, tested]
        let all = try collect(own)
        let subjects = [
            "another version of treadle", "another configuration", "other metrics in its configuration", "other data",
            "other test data",
        ]
        for (rank, theirs) in all.enumerated() {
            guard let place = own.indices.first(where: { theirs[$0] != all[0][$0] }) else { continue }
            throw TreadleError(
                .tryAgain,
                "\(name(of: rank)) has \(subjects[place]) than \(name(of: 0)); put the same on every host and start again"
            )
        }
    }
}
