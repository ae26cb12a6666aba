internal import Foundation
internal import Glibc

/// A terminal without a screen, for tests of what a person sees.
package final class PseudoTerminal {
    private let outer: Int32
    private let inner: Int32

    package init(columns: Int, rows: Int = 24) throws {
        outer = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: UInt32 = 0
        // TIOCSPTLCK and TIOCGPTN, as unlockpt and ptsname use them; their macros do not reach Swift.
        guard outer >= 0, ioctl(outer, 0x4004_5431, &unlocked) == 0, ioctl(outer, 0x8004_5430, &number) == 0 else {
            throw Unavailable()
        }
        inner = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard inner >= 0 else { throw Unavailable() }
        resize(columns: columns, rows: rows)
    }

    package struct Unavailable: Error {}

    deinit {
        close(inner)
        close(outer)
    }

    package func resize(columns: Int, rows: Int = 24) {
        var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(outer, UInt(TIOCSWINSZ), &size)
    }

    /// Runs `treadle` on this terminal to its end; returns the exit code and every byte that was drawn.
    ///
    /// `whenDrawn` sees what has been drawn so far each time there is more.
    package func run(
        _ arguments: [String], environment: [String: String] = ["TERM": "xterm"], directory: TemporaryDirectory? = nil,
        whenDrawn: (String) -> Void = { _ in }
    ) throws -> (code: Int32, drawn: String) {
        let process = try Spawned(
            Program.path, arguments, environment: Program.plainEnvironment.merging(environment) { $1 },
            directory: directory?.path, terminal: inner)
        var drawn: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        // The inner end stays open here, so the outer end never ends by itself: stop when nothing is left.
        while true {
            var ready = pollfd(fd: outer, events: Int16(POLLIN), revents: 0)
            if poll(&ready, 1, 50) > 0 {
                let count = read(outer, &bytes, bytes.count)
                guard count > 0 else { continue }
                drawn += bytes[..<count]
                whenDrawn(String(decoding: drawn, as: UTF8.self))
            } else if !process.isRunning {
                break
            }
        }
        return (try process.finish().code, String(decoding: drawn, as: UTF8.self))
    }
}
