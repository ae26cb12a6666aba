package import Foundation
internal import Synchronization

/// A directory of its own for one test; it goes with the last reference to it.
package final class TemporaryDirectory: Sendable {
    package let path: String
    /// Holds what a test puts beside its directory, like the lock of a run in it.
    private let surroundings: URL

    package init() throws {
        surroundings = FileManager.default.temporaryDirectory
            .appendingPathComponent("treadle-test-\(UUID().uuidString)")
        let url = surroundings.appendingPathComponent("work")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    /// One that several tests share: nothing lets go of it, so it goes with the process.
    package static func shared() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        if kept.withLock({ directories in
            directories.append(directory)
            return directories.count == 1
        }) {
            atexit {
                for directory in TemporaryDirectory.kept.withLock({ $0 }) { directory.remove() }
            }
        }
        return directory
    }

    private static let kept = Mutex<[TemporaryDirectory]>([])

    deinit { remove() }

    private func remove() { try? FileManager.default.removeItem(at: surroundings) }

    /// The path of `name` within the directory.
    package func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try write(Data(text.utf8), to: name)
    }

    @discardableResult
    package func write(_ data: Data, to name: String) throws -> String {
        let path = file(name)
        try data.write(to: URL(fileURLWithPath: path))
        return path
    }

    package func read(_ name: String) throws -> String {
        try String(contentsOfFile: file(name), encoding: .utf8)
    }

    /// The names within, sorted.
    package func contents() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
}
