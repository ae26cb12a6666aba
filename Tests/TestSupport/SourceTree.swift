internal import Foundation

/// The project's own files, for tests of what lies beside the sources.
package enum SourceTree {
    package static let root: String = {
        let here = URL(fileURLWithPath: #filePath)
        return here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()
}
