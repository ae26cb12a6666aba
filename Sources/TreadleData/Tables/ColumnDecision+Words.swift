internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// Columns of words: flags and categories.
extension ColumnDecision {
    mutating func decideFlag() {
        let words = survey.words.frequent.map(\.word)
        guard words.count == 2 || words.count == 1, !survey.words.hasForgotten else {
            result = .question("has \(words.count) different values, but a flag has two; say \(hint("category"))")
            return
        }
        let pair = ColumnDecision.pair(words.count == 2 ? words : words + ["(not \(words[0]))"])
        result = .used(.flag(no: pair.no, yes: pair.yes))
        if survey.missing > 0 {
            note =
                "\(survey.missing) value\(survey.missing == 1 ? " is" : "s are") missing; \(hint("category")) gives them an input of their own"
        }
        values = words.sorted().map(\.printable).joined(separator: ", ")
    }

    /// Two values as no and yes: by their meaning where it is known, else in the order of their letters.
    private static func pair(_ words: [String]) -> (no: String, yes: String) {
        let lower = words.map { $0.lowercased() }
        for (no, yes) in [("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"), ("0", "1")] {
            if lower == [no, yes] { return (words[0], words[1]) }
            if lower == [yes, no] { return (words[1], words[0]) }
        }
        let sorted = ColumnSurvey.inOrder(words)
        return (sorted[0], sorted[1])
    }

    mutating func decideCategory(isAsked: Bool) {
        let frequent = survey.words.frequent
        let different = survey.words.hasForgotten ? "more than \(frequent.count)" : "\(frequent.count)"
        values =
            frequent.prefix(3).map { TableError.short($0.word) }.joined(separator: ", ")
            + (frequent.count > 3 || survey.words.hasForgotten ? ", …" : "")
        let isEachOnce = !survey.words.hasForgotten && frequent.count == survey.present
        if !isAsked, isEachOnce, survey.present > 1 {
            return result = .unused("all its values are different: an identifier")
        }
        let kept = frequent.filter { $0.count >= limits.rare }.prefix(limits.mostValues)
        let covered = kept.reduce(0) { $0 + $1.count }
        guard !kept.isEmpty else {
            let rows = "\(limits.rare) row\(limits.rare == 1 ? "" : "s")"
            return result = .unused("none of its \(different) values is in \(rows) or more; --rare 1 keeps them")
        }
        if !isAsked, frequent.count > limits.mostValues, Double(covered) < 0.2 * Double(survey.present) {
            return result = .unused(
                "\(different) different values, of which the \(kept.count) most frequent are in "
                    + "\(100 * covered / survey.present) % of the rows; use it all the same with \(hint("category"))")
        }
        let hasOther = covered < survey.present
        let names = ColumnSurvey.inOrder(kept.map(\.word))
        if !isAsked, names.count == 1, !hasOther, survey.missing == 0 {
            return result = .unused("is always \"\(TableError.short(names[0]))\"")
        }
        if !isAsked, names.count == 2, !hasOther, survey.missing == 0 {
            let pair = ColumnDecision.pair(names)
            return result = .used(.flag(no: pair.no, yes: pair.yes))
        }
        result = .used(.category(values: names, hasOther: hasOther, hasMissing: survey.missing > 0))
        if !isAsked, names.count == 2, !hasOther { note = "a flag with gaps: missing is a value of its own" }
        if names.contains(where: { $0.contains("\u{FFFD}") }) {
            note = "some values are not UTF-8; convert the file, as with iconv -f WINDOWS-1252 -t UTF-8"
        } else if hasOther {
            note = "\(different) different values; those beyond \(kept.count) are one, \"other\""
        }
    }
}
