internal import TreadleConfiguration

/// What a mistyped word may have meant.
enum Suggestion {
    /// `did you mean "--fresh"?`, or nil where nothing is close.
    static func text(for word: String, among candidates: [String], prefix: String = "") -> String? {
        let typed = word.lowercased()
        let completed = typed.count < 2 ? nil : candidates.first { $0.hasPrefix(typed) }
        return (completed ?? nearest(to: word, among: candidates)).map { "did you mean \"\(prefix)\($0)\"?" }
    }
}
