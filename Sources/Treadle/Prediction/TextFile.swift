internal import Glibc

/// A text file that takes its place when it is finished, or not at all.
package final class TextFile {
    private var file: DurableFile?

    package init(_ path: String, replacing: Bool) throws {
        if !replacing, unsafe access(path, F_OK) == 0 {
            throw TreadleError(.cannotCreate, "\(path) exists; choose another name, or replace it with --force")
        }
        file = try DurableFile(replacing: path)
    }

    package func write(_ text: String) throws { try file?.write(Array(text.utf8)) }

    package func finish() throws {
        try file?.commit()
        file = nil
    }
}
