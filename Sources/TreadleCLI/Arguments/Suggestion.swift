/// What a mistyped word may have meant.
enum Suggestion {
    /// `did you mean "--fresh"?`, or nil where nothing is close.
    static func text(for word: String, among candidates: [String], prefix: String = "") -> String? {
        closest(to: word, among: candidates).map { "did you mean \"\(prefix)\($0)\"?" }
    }

    /// The candidate that a few slips of the fingers away from `word`, the first where several are as close.
    static func closest(to word: String, among candidates: [String]) -> String? {
        let typed = word.lowercased()
        if typed.count >= 2, let completed = candidates.first(where: { $0.hasPrefix(typed) }) { return completed }
        let nearest = candidates.map { (name: $0, slips: slips(Array(typed), Array($0))) }.min { $0.slips < $1.slips }
        guard let nearest, nearest.slips <= max(1, min(typed.count, nearest.name.count) / 3) else { return nil }
        return nearest.name
    }

    /// Letters to insert, delete, replace or swap with their neighbour to get from one word to the other.
    private static func slips(_ a: [Character], _ b: [Character]) -> Int {
        var table = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { table[i][0] = i }
        for j in 0...b.count { table[0][j] = j }
        for i in 0..<a.count {
            for j in 0..<b.count {
                var least = min(table[i][j + 1] + 1, table[i + 1][j] + 1, table[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, table[i - 1][j - 1] + 1) }
                table[i + 1][j + 1] = least
            }
        }
        return table[a.count][b.count]
    }
}
