internal import TreadleBase

/// The configuration that a file says it was made by, as far as this version understands it.
///
/// An earlier version may have written it, which lacks keys, or a later one, which has others: what is missing has its
/// default, and what is unknown is passed over. Whoever computes by a configuration needs all of it: `Configuration.parse`.
package struct EmbeddedConfiguration {
    /// What is not understood has its default.
    package let settings: Configuration
    private let problems: Problems

    /// Nil for a text that is no JSON object.
    package init?(_ text: String, baseDirectory: String) {
        var problems = Problems()
        let node = JSON5Reader.read(Array(text.utf8), problems: &problems) { .file("", line: $0, column: $1) }
        guard let node, problems.isEmpty else { return nil }
        guard let settings = Configuration.value(of: node, baseDirectory: baseDirectory, &problems) else { return nil }
        self.settings = settings
        self.problems = problems
    }

    /// Whether every setting is there, and known to this version.
    package var isWhole: Bool { problems.isEmpty }

    /// Whether the setting at a dotted path, and all within it, has the value that the file says, or its default.
    package func understands(_ path: String) -> Bool { !problems.isFull && !problems.concern(path) }

    /// What the run was called.
    package var name: String? { understands("name") ? settings.name : nil }

    /// The settings whose values differ in another file, as far as both are understood.
    package func changes(to other: EmbeddedConfiguration) -> [Configuration.Change] {
        Configuration.changes(from: settings, to: other.settings).filter {
            understands($0.key) && other.understands($0.key)
        }
    }
}
