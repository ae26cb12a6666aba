/// What the name of an array says about it: `/images_train` and `/train/images` are both images to train on.
package struct ArrayName: Equatable, Sendable {
    /// Which part of the data it speaks of.
    package enum Part: String, CaseIterable, Sendable { case whole, train, valid, test }

    package let part: Part
    /// The name's words without the part: `images` in both examples.
    package let stem: String
    private let words: [String]

    // Each from the likeliest on. NumPy calls the arrays of an archive arr_0, arr_1, … where nobody names them.
    private static let inputs = [
        "x", "images", "features", "data", "inputs", "input", "image", "samples", "xs", "arr_0",
    ]
    private static let targets = [
        "y", "labels", "label", "targets", "target", "classes", "class", "ys", "output", "arr_1",
    ]
    private static let weights: Set = ["weight", "weights", "sample_weight", "sample_weights", "w"]
    private static let parts: [(part: Part, words: Set<String>)] = [
        (.train, ["train", "training"]), (.valid, ["valid", "val", "validation", "dev"]), (.test, ["test", "testing"]),
    ]

    package init(_ name: String) {
        let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
        self.words = words
        part = Self.parts.first { $0.words.contains(where: words.contains) }?.part ?? .whole
        let partWords = Self.parts.reduce(into: Set(["set"])) { $0.formUnion($1.words) }
        stem = words.filter { !partWords.contains($0) }.joined(separator: "_")
    }

    /// How unlikely an array of inputs is called so, from 0; nil for a name that says nothing of the kind.
    package var inputPlace: Int? { Self.inputs.firstIndex(of: stem) }
    /// The same of targets.
    package var targetPlace: Int? { Self.targets.firstIndex(of: stem) }
    package var isWeight: Bool { Self.weights.contains(stem) }
    /// Whether any of the words speaks of targets, as in `t10k-labels-idx1-ubyte`.
    package var mentionsTargets: Bool { words.contains(where: Self.targets.contains) }
}
