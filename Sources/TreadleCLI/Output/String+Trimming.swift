extension String {
    /// Without the spaces at its end, which terminals do not show and copied text should not have.
    var trimmingTrailingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
