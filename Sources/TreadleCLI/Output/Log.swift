internal import Foundation
internal import Glibc
internal import HDF5
internal import Synchronization
internal import TreadleBase

/// Stderr: everything that is not data. The only writer to it, so that a live line and messages do not mix.
///
/// Any thread may use it. Its own failures are ignored: a job goes on when nobody reads its log.
final class Log: Sendable {
    let terminal: Terminal
    /// Stderr is systemd's journal, which reads the level from a prefix.
    let isJournal: Bool
    private let state: Mutex<State>

    private struct State {
        var lowest: LogLevel
        var liveLine: String?
    }

    init(lowest: LogLevel = .info, environment: [String: String] = ProcessInfo.processInfo.environment) {
        terminal = Terminal(descriptor: STDERR_FILENO, environment: environment)
        isJournal = Self.leadsToJournal(environment["JOURNAL_STREAM"])
        state = Mutex(State(lowest: lowest))
    }

    /// Messages below this level are dropped.
    var lowest: LogLevel {
        get { state.withLock { $0.lowest } }
        set { state.withLock { $0.lowest = newValue } }
    }

    func debug(_ text: String) { write(.debug, text) }
    func note(_ text: String) { write(.info, text) }
    func warning(_ text: String) { write(.warning, text) }
    func error(_ text: String) { write(.error, text) }

    /// Writes each line of `text` with what tells its level. Names out of files act on no terminal.
    func write(_ level: LogLevel, _ text: String) {
        draw(level, text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable })
    }

    /// Writes lines that are marked up for the terminal already.
    func draw(_ level: LogLevel, _ lines: [String]) {
        state.withLock { state in
            guard level.severity >= state.lowest.severity else { return }
            let lines = lines.map { prefix(level) + $0 + "\n" }
            put(erasing(state.liveLine) + lines.joined() + (state.liveLine ?? ""))
        }
    }

    /// Shows `line` below all messages, over the live line before; nil removes it. Only for a live terminal.
    func showLive(_ line: String?) {
        state.withLock { state in
            put(erasing(state.liveLine) + (line ?? ""))
            state.liveLine = line
        }
    }

    private func erasing(_ line: String?) -> String { line == nil ? "" : "\r\u{1B}[K" }

    private func put(_ text: String) {
        _ = Descriptor.write(ArraySlice(text.utf8), to: STDERR_FILENO)
    }

    private func prefix(_ level: LogLevel) -> String {
        let journal = isJournal ? level.journalPrefix : ""
        return switch level {
        case .error: journal + terminal.red("error:") + " "
        case .warning: journal + terminal.yellow("warning:") + " "
        case .info, .debug: journal
        }
    }

    /// JOURNAL_STREAM names the device and inode of the journal's socket; stderr may have been redirected since.
    private static func leadsToJournal(_ stream: String?) -> Bool {
        guard let stream else { return false }
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

extension LogLevel {
    var severity: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    /// The syslog priority as sd-daemon(3) reads it.
    var journalPrefix: String {
        switch self {
        case .debug: "<7>"
        case .info: "<6>"
        case .warning: "<4>"
        case .error: "<3>"
        }
    }
}
