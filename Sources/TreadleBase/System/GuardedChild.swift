internal import Foundation
internal import Glibc

/// A running child, and the socket that its request goes out through and its answer comes in.
struct GuardedChild {
    enum Ending { case finished, tooLate, tooLong, stopped, signal(Int32) }

    /// Where the child reads its request, which may be too long for a process's arguments, and writes its answer.
    static let socket: Int32 = 1

    private let identifier: pid_t
    private let socket: Int32

    init(_ executable: String, _ arguments: [String], input: Int32?, subject: String) throws {
        var ends: [Int32] = [-1, -1]
        // Both ends are closed on exec. The child gets a duplicate of its end, which stays open.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw ChildProcess.failed(subject, "socketpair", errno)
        }
        defer { close(ends[1]) }
        do {
            identifier = try ChildProcess.start(
                executable, arguments,
                files: [
                    (0, input.map { .descriptor($0) } ?? .null), (GuardedChild.socket, .descriptor(ends[1])),
                    (2, .null),
                ],
                subject: subject)
        } catch {
            close(ends[0])
            throw error
        }
        socket = ends[0]
    }

    /// Sends the request and reads the answer. It stops at the end of the answer, at a limit, or when `stop` is
    /// requested, and then waits for the child, which it kills unless the answer was complete.
    func collect(_ request: Data, within limits: GuardedProcess.Limits, stop: Stop) -> (bytes: Data, ending: Ending) {
        let deadline = ContinuousClock.now + .seconds(limits.patience)
        var unsent = request[...]
        var answer = Data()
        var ending = Ending.finished
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        reading: while true {
            let events = unsent.isEmpty ? POLLIN : POLLIN | POLLOUT
            var waiting = pollfd(fd: socket, events: Int16(events), revents: 0)
            let left = (deadline - .now) / .milliseconds(1)
            // A stop may be asked for by another thread, which does not interrupt this wait: it is looked for ten times
            // a second.
            let ready = unsafe poll(&waiting, 1, Int32(max(0, min(left, 100))))
            if stop.isRequested {
                ending = .stopped
                break
            }
            if ready < 0, errno == EINTR { continue }
            if ready == 0, left > 0 { continue }
            if ready <= 0 {
                ending = .tooLate
                break
            }
            if !unsent.isEmpty, waiting.revents & Int16(POLLOUT) != 0 {
                unsent = unsent.dropFirst(send(unsent))
                if unsent.isEmpty { shutdown(socket, Int32(SHUT_WR)) }
            }
            guard waiting.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { continue }
            let count = unsafe read(socket, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            answer.append(contentsOf: chunk[..<count])
            if answer.count > limits.response {
                ending = .tooLong
                break reading
            }
        }
        close(socket)
        if case .finished = ending {} else { kill(identifier, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        if case .finished = ending, status & 0x7f != 0 { ending = .signal(status & 0x7f) }
        return (answer, ending)
    }

    /// Sends what there is room for; returns how much. A child that is gone tells so by the end of its answer.
    private func send(_ bytes: Data) -> Int {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let sent = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(socket, $0.baseAddress, $0.count, flags) }
        guard sent < 0 else { return sent }
        return errno == EAGAIN || errno == EINTR ? 0 : bytes.count
    }
}
