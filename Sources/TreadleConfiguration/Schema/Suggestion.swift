/// The candidate that `word` was probably meant to be, if one is near: a third of its letters may differ.
package func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let letters = Array(word.lowercased().unicodeScalars.prefix(80))
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let distance = editDistance(letters, Array(candidate.lowercased().unicodeScalars))
        if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(1, letters.count / 3) else { return nil }
    return best.candidate
}

/// How many letters must be added, removed, replaced or swapped with a neighbour to turn one word into the other.
func editDistance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
    var beforeLast = [Int](repeating: 0, count: second.count + 1)
    var last = Array(0...second.count)
    for i in first.indices {
        var row = [i + 1] + [Int](repeating: 0, count: second.count)
        for j in second.indices {
            let replaced = last[j] + (first[i] == second[j] ? 0 : 1)
            row[j + 1] = min(last[j + 1] + 1, row[j] + 1, replaced)
            if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
                row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1)
            }
        }
        (beforeLast, last) = (last, row)
    }
    return last[second.count]
}
