package import HDF5

/// The arrays of an HDF5 file that a model could learn from, with what their names say.
package struct ArrayListing {
    /// Which part of the data a name speaks of.
    package enum Part: CaseIterable { case whole, train, valid, test }

    package struct Entry {
        package var path: String
        package var shape: [Int]
        package var type: ElementType
        var part: Part
        /// The name's words without the part: `/images_train` and `/train/images` are both `images`.
        var stem: String

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
        let words = path.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        let part: ArrayListing.Part =
            words.contains("train") || words.contains("training")
            ? .train
            : words.contains(where: ["valid", "val", "validation", "dev"].contains)
                ? .valid : words.contains("test") || words.contains("testing") ? .test : .whole
        let parts: Set = ["train", "training", "valid", "val", "validation", "dev", "test", "testing", "set"]
        self.init(
            path: path, shape: dataset.shape, type: dataset.type, part: part,
            stem: words.filter { !parts.contains($0) }.joined(separator: "_"))
    }
}

extension ArrayListing {
    private static let inputWords = ["x", "images", "features", "data", "inputs", "input", "image", "samples", "xs"]
    private static let targetWords = ["y", "labels", "label", "targets", "target", "classes", "class", "ys", "output"]
    private static let weightWords = ["weight", "weights", "sample_weight", "sample_weights", "w"]

    /// The most likely inputs among the arrays to train on.
    package var inputs: Entry? {
        let candidates = entries.filter { $0.type.isNumeric && $0.width > 0 && isForTraining($0) }
        let named = candidates.filter { ArrayListing.inputWords.contains($0.stem) && !isLonely($0) }
        if let best = named.min(by: { order($0) < order($1) }) { return best }
        // No name helps: the widest array, if it has columns at all.
        return candidates.filter { $0.shape.count >= 2 && !ArrayListing.targetWords.contains($0.stem) }
            .max { $0.width < $1.width }
    }

    private func isForTraining(_ entry: Entry) -> Bool { entry.part == .whole || entry.part == .train }

    /// One number a row, while there are arrays of several: rather a target or a weight.
    private func isLonely(_ entry: Entry) -> Bool {
        entry.shape.count == 1 && entries.contains { $0.shape.count > 1 && $0.rows == entry.rows }
    }

    private func order(_ entry: Entry) -> Int {
        (ArrayListing.inputWords.firstIndex(of: entry.stem) ?? 99) * 2 + (entry.part == .train ? 0 : 1)
    }

    /// The most likely targets of `inputs`.
    package func targets(of inputs: Entry) -> Entry? {
        let candidates = entries.filter { entry in
            let isText = if case .string = entry.type { true } else { false }
            return entry.rows == inputs.rows && entry.path != inputs.path && entry.part == inputs.part
                && (entry.type.isNumeric || isText) && !ArrayListing.weightWords.contains(entry.stem)
        }
        let named = candidates.filter { ArrayListing.targetWords.contains($0.stem) }
        if let best = named.min(by: {
            (ArrayListing.targetWords.firstIndex(of: $0.stem) ?? 99)
                < (ArrayListing.targetWords.firstIndex(of: $1.stem) ?? 99)
        }) {
            return best
        }
        let narrow = candidates.filter { $0.width <= max(1, inputs.width / 2) || $0.shape.count == 1 }
        return narrow.min { $0.width < $1.width }
    }

    package func weight(of inputs: Entry) -> Entry? {
        entries.first {
            $0.rows == inputs.rows && $0.shape.count == 1 && $0.part == inputs.part && $0.type.isNumeric
                && ArrayListing.weightWords.contains($0.stem)
        }
    }

    /// The array that is for `part` what `entry` is for training.
    package func counterpart(of entry: Entry, _ part: Part) -> Entry? {
        guard entry.part == .train else { return nil }
        return entries.first {
            $0.part == part && $0.stem == entry.stem && $0.shape.dropFirst() == entry.shape.dropFirst()
        }
    }
}
