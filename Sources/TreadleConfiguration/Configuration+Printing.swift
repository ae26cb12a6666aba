extension Configuration {
    /// Every setting with its value, as JSON: reads back to the same value.
    ///
    /// ```swift
    /// try configuration.resolvedText.write(toFile: "resolved.json5", atomically: true, encoding: .utf8)
    /// ```
    public var resolvedText: String {
        Configuration.section.form.write(self, .any).lines() + "\n"
    }
}
