import Foundation
import Testing
import TreadleConfiguration

/// The article about the configuration agrees with the table that reads it.
@Suite struct ConfigurationReferenceTests {
    /// A key's row in the article.
    private func row(_ setting: Setting) -> String {
        let standard = setting.defaultText.map { text in
            text.hasPrefix("{") || !text.contains(" ") ? "`\(text)`" : text
        }
        return "| `\(setting.path)` | \(setting.expected) | \(standard ?? "must be given") | \(setting.summary) |"
    }

    @Test func `every key is in the article with its values, default and meaning`() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let article = try String(
            contentsOf: package.appending(path: "Sources/Treadle/Treadle.docc/Configuring.md"), encoding: .utf8)
        let lines = Set(article.split(separator: "\n").map(String.init))
        let sections = Set(Configuration.settings.filter { $0.expected == "an object" }.map(\.path))
        let rows = Configuration.settings.filter { !sections.contains($0.path) }.map(row)
        #expect(rows.filter { !lines.contains($0) }.joined(separator: "\n") == "", "rows that the article lacks")
        #expect(lines.filter { $0.hasPrefix("| `") }.count == rows.count, "the article has rows of keys that are gone")
        for section in sections { #expect(article.contains("`\(section)`"), "\(section)") }
    }
}
