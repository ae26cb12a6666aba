/// Text in columns.
enum TextLayout {
    /// Breaks `text` between words so that no line is wider than `width` where that can be; each line is
    /// indented and ends with a newline.
    static func wrapped(_ text: String, indentation: Int, width: Int) -> String {
        let indent = String(repeating: " ", count: indentation)
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= max(width, indentation + 20) {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(indent + word)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
