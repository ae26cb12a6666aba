internal import Foundation
internal import Glibc

/// What a file descriptor leads to, and what may be drawn there.
struct Terminal: Sendable {
    private let descriptor: Int32
    let isTerminal: Bool
    /// The terminal can move its cursor, so that a line may be drawn over.
    let isLive: Bool
    let usesColor: Bool
    /// The locale's characters are UTF-8.
    let hasUnicode: Bool

    init(descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        isLive = isTerminal && !(environment["TERM"] ?? "dumb").isEmpty && environment["TERM"] ?? "dumb" != "dumb"
        usesColor = isLive && (environment["NO_COLOR"] ?? "").isEmpty
        // The first of these that is set and not empty decides, as in setlocale(3).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C"
        let charset = locale.lowercased().replacingOccurrences(of: "-", with: "")
        hasUnicode = charset.contains("utf8")
    }

    /// The columns of the terminal as it is now, or `fallback` where there is none to ask.
    func width(fallback: Int = 80) -> Int {
        guard isTerminal else { return fallback }
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return fallback }
        return Int(size.ws_col)
    }

    func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    func yellow(_ text: String) -> String { usesColor ? "\u{1B}[33m\(text)\u{1B}[0m" : text }
    func red(_ text: String) -> String { usesColor ? "\u{1B}[31m\(text)\u{1B}[0m" : text }
}
