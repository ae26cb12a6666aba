internal import Glibc
internal import TreadleBase

/// Stdout: what was asked for, buffered, and never lost without an error.
final class Output {
    /// Nobody reads stdout any more: a reason to end quietly, not a failure.
    struct ClosedPipe: Error {}

    let terminal: Terminal
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private static let capacity = 1 << 16

    init(descriptor: Int32 = STDOUT_FILENO) {
        self.descriptor = descriptor
        terminal = Terminal(descriptor: descriptor)
    }

    func write(_ text: String) throws {
        buffer += text.utf8
        // A person wants each line as it comes; a file or pipe wants few writes.
        if buffer.count >= Self.capacity || (terminal.isTerminal && text.utf8.last == 0x0A) { try flush() }
    }

    func write(bytes: some Sequence<UInt8>) throws {
        buffer += bytes
        if buffer.count >= Self.capacity { try flush() }
    }

    func writeLine(_ text: String = "") throws {
        try write(text + "\n")
    }

    /// Writes the value as JSON, indented, with its keys in their own order.
    func write(json value: JSONValue) throws {
        try writeLine(value.text(indented: true))
    }

    /// Hands everything written so far to the kernel.
    func flush() throws {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard let error = Descriptor.write(buffer[...], to: descriptor) else { return }
        if error == EPIPE { throw ClosedPipe() }
        if error == ECANCELED, let reason = Signals.stop.reason {
            throw TreadleError(
                .tryAgain, "stdout: stopped by \(reason) while nobody read it; the output is incomplete, run it again")
        }
        throw TreadleError(
            .inputOutput,
            "stdout: \(Descriptor.message(error)); the output is incomplete, free some space or write elsewhere")
    }
}

/// Writing to a file descriptor until all is written.
enum Descriptor {
    /// Writes all bytes; returns errno where that failed.
    ///
    /// A pipe that nobody reads holds the writer up for as long as that lasts. Somebody who asks for a stop meanwhile gets it:
    /// the rest is not written, and ECANCELED is returned.
    static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int32? {
        var rest = bytes
        while !rest.isEmpty {
            guard waitForRoom(descriptor) else { return ECANCELED }
            // What has room takes this much without waiting; a file takes any amount.
            let piece = rest.prefix(isFile(descriptor) ? rest.count : Int(PIPE_BUF))
            let written = unsafe piece.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR, errno != EAGAIN {
                return errno
            }
        }
        return nil
    }

    /// Waits until the descriptor takes something; false where a stop is asked for before.
    private static func waitForRoom(_ descriptor: Int32) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // What cannot be waited for says so when it is written to.
        while unsafe poll(&waiting, 1, 100) == 0 {
            if Signals.stop.isRequested { return false }
        }
        return true
    }

    private static func isFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    static func message(_ error: Int32) -> String {
        unsafe String(cString: strerror(error))
    }
}
