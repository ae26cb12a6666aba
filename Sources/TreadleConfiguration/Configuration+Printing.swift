extension Configuration {
    /// Every setting with its value, as JSON: reads back to the same value.
    package var resolvedText: String {
        Configuration.section.form.write(self, .any).lines() + "\n"
    }
}
