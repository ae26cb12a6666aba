internal import Foundation
internal import Glibc
internal import Synchronization
package import TreadleBase
package import TreadleData

/// A run's `metrics.jsonl`: one JSON object a line, in the order of training.
///
/// Every object has `step` and `epoch`: the optimizer updates and the epochs completed when it was written.
package final class MetricsLog: Sendable {
    package let path: String
    private let calls: SystemCalls
    private let descriptor: Int32
    private let length: Mutex<Int>

    /// Opens the file, cut back to what a run that stands at `cursor` has written: lines of later steps and epochs
    /// go, as does a last line that a killed writer left unfinished. The cut is atomic.
    package init(_ path: String, continuingAt cursor: Cursor, calls: SystemCalls = SystemCalls()) throws {
        self.path = path
        self.calls = calls
        let text = try FileSystem.contents(of: path) ?? Data()
        let kept = MetricsLog.lines(of: text, upTo: cursor)
        if kept.count < text.count {
            var file = try DurableFile(replacing: path, calls: calls)
            try file.write(Array(kept))
            try file.commit()
        }
        length = Mutex(kept.count)
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw TreadleError.writing(path, "open", errno) }
    }

    deinit { close(descriptor) }

    /// Adds a line. When that fails, no part of it stays.
    package func append(_ record: JSONValue) throws {
        let line = Array((record.text() + "\n").utf8)
        try length.withLock { length in
            do {
                try calls.write(unsafe line.span.bytes, to: descriptor, for: path)
                length += line.count
            } catch {
                _ = ftruncate(descriptor, length)
                throw error
            }
        }
    }

    /// Makes the lines so far survive a power cut: before a checkpoint whose cursor counts on them.
    func sync() throws {
        try calls.fsync(descriptor, for: path)
    }

    private struct Position: Decodable {
        var step: Int
        var epoch: Int?
    }

    /// The bytes before the first line that is not finished or lies beyond `cursor`.
    private static func lines(of text: Data, upTo cursor: Cursor) -> Data {
        var end = text.startIndex
        while let newline = text[end...].firstIndex(of: 0x0a) {
            if let position = try? JSONDecoder().decode(Position.self, from: text[end..<newline]),
                position.step > cursor.step || (position.epoch ?? 0) > cursor.epoch
            {
                break
            }
            end = newline + 1
        }
        return text[..<end]
    }
}

extension RunCourse {
    /// How far the run's metrics log goes. A run that ended within an epoch has recorded that part as the epoch.
    package var recorded: Cursor {
        Cursor(epoch: max(cursor.epoch, history.last?.epoch ?? 0), batch: cursor.batch, step: cursor.step)
    }
}
