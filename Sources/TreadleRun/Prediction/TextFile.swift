internal import TreadleBase

/// A text file that takes its place when it is finished, or not at all.
package final class TextFile {
    private var file: DurableFile?

    package init(_ path: String, replacing: Bool) throws {
        file = try DurableFile(creating: path, replacing: replacing)
    }

    package func write(_ text: String) throws { try file?.write(Array(text.utf8)) }

    package func finish() throws {
        try file?.commit()
        file = nil
    }
}
