package import Foundation
internal import Glibc
internal import Synchronization

/// A directory of its own for one test; it goes with the last reference to it.
package final class TemporaryDirectory: Sendable {
    package let path: String
    /// Holds what a test puts beside its directory, like the lock of a run in it.
    private let surroundings: URL

    /// In memory where the system has room for files there: most of the tests' time would else be a wait for the disk, and a
    /// process that is killed leaves the same files on either. `onDisk` is for files of gigabytes.
    package init(onDisk: Bool = false) throws {
        surroundings = ((onDisk ? nil : Self.memory) ?? FileManager.default.temporaryDirectory)
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

    /// The directory of files in memory, where there is one with room for all tests; not where TMPDIR names another place.
    private static let memory: URL? = {
        let path = "/dev/shm"
        var status = statvfs()
        guard ProcessInfo.processInfo.environment["TMPDIR"] == nil, access(path, W_OK) == 0,
            statvfs(path, &status) == 0,
            UInt(status.f_bavail) * UInt(status.f_frsize) >= 4 << 30
        else { return nil }
        return URL(fileURLWithPath: path)
    }()

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
