internal import Foundation
internal import Synchronization
internal import TreadleBase

/// The files `best.h5`, `best-2.h5`, …: the best epochs of a run, the best first; of equals the earlier.
///
/// `best.h5` exists at every moment from the first epoch that has the metric. The order is read back from the files
/// themselves, so that it survives any end of the process.
final class BestCheckpoints: Sendable {
    private struct Entry: Equatable {
        var step: Int
        var value: Double
        /// Which of the files holds it, counted from 0: its place, unless a run was killed while renaming.
        var file: Int?
    }

    private let directory: String
    private let metric: WatchedMetric
    private let count: Int
    private let calls: SystemCalls
    private let note: @Sendable (LogLevel, String) -> Void
    /// Nil until the files have been read.
    private let entries: Mutex<[Entry]?>

    init(
        _ directory: String, metric: WatchedMetric, count: Int, calls: SystemCalls,
        note: @escaping @Sendable (LogLevel, String) -> Void
    ) {
        self.directory = directory
        self.metric = metric
        self.count = count
        self.calls = calls
        self.note = note
        entries = Mutex(nil)
    }

    /// Whether this epoch is among the best.
    func wants(_ record: EpochRecord) -> Bool {
        entries.withLock { entries in
            // What keeps the files from being listed is told when it is added.
            guard let known = try? entries ?? readEntries() else { return true }
            entries = known
            return ordered(record, among: known) != nil
        }
    }

    /// Gives the durable file at `path`, if its epoch is among the best, its second name.
    func add(_ record: EpochRecord, file: () throws -> EncodedCheckpoint, at path: String) throws {
        try entries.withLock { entries in
            let known = try entries ?? readEntries()
            guard var ordered = ordered(record, among: known) else {
                entries = known
                return
            }
            // Until all names are in place the order is what the files say.
            entries = nil
            try rename(ordered, file: file, path: path)
            for place in ordered.indices { ordered[place].file = place }
            entries = ordered
        }
    }

    /// Reads the order from the files again when it is next needed: someone else has changed them.
    func forget() { entries.withLock { $0 = nil } }

    /// The order with this epoch in it, or nil when it is not among the best.
    private func ordered(_ record: EpochRecord, among known: [Entry]) -> [Entry]? {
        guard let value = record.metrics[metric.name], !value.isNaN else { return nil }
        var ordered = known.filter { $0.step != record.step }
        let place = ordered.firstIndex { metric.isBetter(value, than: $0.value) } ?? ordered.count
        guard place < count else { return nil }
        ordered.insert(Entry(step: record.step, value: value), at: place)
        return Array(ordered.prefix(count))
    }

    /// Gives every file the name of its place. No name is overwritten before its file has another.
    private func rename(_ ordered: [Entry], file: () throws -> EncodedCheckpoint, path: String) throws {
        let places = ordered.indices
        for place in places { if let old = ordered[place].file, old > place { try move(old, to: place) } }
        for place in places.reversed() { if let old = ordered[place].file, old < place { try move(old, to: place) } }
        for place in places where ordered[place].file == nil {
            do {
                try DurableFile.link(path, replacing: name(place), calls: calls)
            } catch {
                // A file system without hard links: the same bytes, written once more.
                try file().write(to: name(place), calls: calls)
            }
        }
        for (index, path) in try files() where index >= ordered.count { try calls.unlink(path) }
    }

    private func move(_ old: Int, to new: Int) throws {
        do {
            try DurableFile.link(name(old), replacing: name(new), calls: calls)
        } catch {
            try calls.rename(name(old), to: name(new))
        }
    }

    private func name(_ index: Int) -> String { directory + "/" + CheckpointName.best(index + 1).fileName }

    /// The ordered files that there are, with their numbers counted from 0, in rising order.
    private func files() throws -> [(index: Int, path: String)] {
        try FileSystem.names(in: directory).compactMap { file in
            if case .best(let place) = CheckpointName(fileName: file) {
                (place - 1, directory + "/" + file)
            } else {
                nil
            }
        }.sorted { $0.0 < $1.0 }
    }

    /// What the files hold; those that cannot be read or do not know the metric are as good as absent.
    private func readEntries() throws -> [Entry] {
        var entries: [Entry] = []
        for (index, path) in try files() {
            do {
                guard let record = try CheckpointFile(path).head.history.last else { continue }
                guard let value = record.metrics[metric.name] else { continue }
                // A kill between two renames leaves one epoch under two names.
                guard !entries.contains(where: { $0.step == record.step }) else { continue }
                entries.append(Entry(step: record.step, value: value, file: index))
            } catch {
                note(.warning, "\(error)")
            }
        }
        return entries
    }
}
