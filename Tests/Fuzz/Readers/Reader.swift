import CFuzzer
import Foundation
import HDF5
import TreadleBase

/// A reader of untrusted bytes. It may refuse them in words; it may not trap, hang, or call them a bug of its own.
struct Reader: Sendable {
    var name: String
    var read: @Sendable ([UInt8]) throws -> Void

    static let all =
        [
            Reader(name: "json5", read: readConfiguration), Reader(name: "table", read: readTable),
            Reader(name: "zip", read: readArchive), Reader(name: "npy", read: readNPY),
            Reader(name: "idx", read: readIDX), Reader(name: "userblock", read: readCheckpoint),
            Reader(name: "chunktree", read: readChunkTree), Reader(name: "schema", read: readSchema),
        ]

    func judge(_ bytes: [UInt8]) {
        do {
            try read(bytes)
        } catch let error as TreadleError {
            precondition(error.kind != .bug, "called a bug: \(error)")
            precondition(!error.messages.isEmpty, "an error says something")
        } catch is H5Error {
            return
        } catch {
            preconditionFailure("threw what has no words for people: \(error)")
        }
    }
}

/// Bytes as a file that has a name for as long as this lives, and lies in memory.
final class MemoryFile {
    let descriptor: Int32
    var path: String { "/proc/self/fd/\(descriptor)" }

    init(_ bytes: [UInt8]) {
        descriptor = fuzzer_memory_file()
        precondition(descriptor >= 0 && write(descriptor, bytes, bytes.count) == bytes.count, "no memory for a file")
    }

    deinit { close(descriptor) }
}
