package import HDF5

/// The arrays of an HDF5 file that a model could learn from, with what their names say.
package struct ArrayListing {
    package struct Entry {
        package var path: String
        package var shape: [Int]
        package var type: ElementType
        var name: ArrayName

        package var rows: Int { shape.first ?? 0 }
        /// Elements of a row.
        package var width: Int { shape.dropFirst().boundedProduct() ?? .max }
    }

    package private(set) var entries: [Entry] = []
    /// Every dataset's path and shape, for messages.
    package private(set) var descriptions: [String] = []
    /// Whether the file holds more than was looked at.
    package private(set) var isCut = false

    private static let deepest = 6
    private static let most = 2_000

    package init(_ file: H5File) throws {
        try visit(file, "", 0)
    }

    private mutating func visit(_ group: any H5Container, _ prefix: String, _ depth: Int) throws {
        let links = try group.links(limit: ArrayListing.most + 1)
        if links.count > ArrayListing.most { isCut = true }
        for link in links.prefix(ArrayListing.most) {
            guard descriptions.count < ArrayListing.most else { return isCut = true }
            let path = "\(prefix)/\(link.name)"
            // What does not open, such as a link to another file, is nothing to learn from.
            guard link.kind != .external, let entity = try? group.open(link.name) else { continue }
            switch entity {
            case .group(let group) where depth < ArrayListing.deepest: try visit(group, path, depth + 1)
            case .dataset(let dataset): add(dataset, path)
            default: continue
            }
        }
    }

    private mutating func add(_ dataset: H5Dataset, _ path: String) {
        let shape = dataset.shape
        descriptions.append(
            "\(path.printable) \(shape.isEmpty ? "one" : shape.map(String.init).joined(separator: "×")) \(dataset.type)"
        )
        if let entry = Entry(dataset, at: path) { entries.append(entry) }
    }
}

extension ArrayListing.Entry {
    /// Nil for single values, and where there is no element to learn from.
    package init?(_ dataset: H5Dataset, at path: String) {
        guard !dataset.shape.isEmpty, let count = dataset.count, count > 0 else { return nil }
        self.init(path: path, shape: dataset.shape, type: dataset.type, name: ArrayName(path))
    }
}

extension ArrayListing {
    /// The most likely inputs among the arrays to train on.
    package var inputs: Entry? {
        let candidates = entries.filter { $0.type.isNumeric && $0.width > 0 && isForTraining($0) }
        let named = candidates.filter { $0.name.inputPlace != nil && !isLonely($0) }
        if let best = named.min(by: { order($0) < order($1) }) { return best }
        // No name helps: the widest array, if it has columns at all.
        return candidates.filter { $0.shape.count >= 2 && $0.name.targetPlace == nil }
            .max { $0.width < $1.width }
    }

    private func isForTraining(_ entry: Entry) -> Bool { [.whole, .train].contains(entry.name.part) }

    /// One number a row, while there are arrays of several: rather a target or a weight.
    private func isLonely(_ entry: Entry) -> Bool {
        entry.shape.count == 1 && entries.contains { $0.shape.count > 1 && $0.rows == entry.rows }
    }

    private func order(_ entry: Entry) -> (Int, Int) {
        (entry.name.inputPlace ?? .max, entry.name.part == .train ? 0 : 1)
    }

    /// The most likely targets of `inputs`.
    package func targets(of inputs: Entry) -> Entry? {
        let candidates = entries.filter { entry in
            let isText = if case .string = entry.type { true } else { false }
            return entry.rows == inputs.rows && entry.path != inputs.path && entry.name.part == inputs.name.part
                && (entry.type.isNumeric || isText) && !entry.name.isWeight
        }
        let named = candidates.compactMap { entry in entry.name.targetPlace.map { (place: $0, entry: entry) } }
        if let best = named.min(by: { $0.place < $1.place }) { return best.entry }
        let narrow = candidates.filter { $0.width <= max(1, inputs.width / 2) || $0.shape.count == 1 }
        return narrow.min { $0.width < $1.width }
    }

    package func weight(of inputs: Entry) -> Entry? {
        entries.first {
            $0.rows == inputs.rows && $0.shape.count == 1 && $0.name.part == inputs.name.part && $0.type.isNumeric
                && $0.name.isWeight
        }
    }

    /// The array that is for `part` what `entry` is for training.
    package func counterpart(of entry: Entry, _ part: ArrayName.Part) -> Entry? {
        guard entry.name.part == .train else { return nil }
        return entries.first {
            $0.name.part == part && $0.name.stem == entry.name.stem && $0.shape.dropFirst() == entry.shape.dropFirst()
        }
    }
}
