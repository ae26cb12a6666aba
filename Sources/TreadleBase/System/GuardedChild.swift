internal import Foundation
internal import Glibc

/// A running child and the pipe that its answer comes through.
struct GuardedChild {
    enum Ending { case finished, tooLate, tooLong, stopped, signal(Int32) }

    private let identifier: pid_t
    private let pipe: Int32

    init(_ executable: String, _ arguments: [String], input: Int32?, subject: String) throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw ChildProcess.failed(subject, "pipe", errno) }
        defer { close(ends[1]) }
        // The child's end is a copy without this.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        do {
            identifier = try ChildProcess.start(
                executable, arguments,
                files: [(0, input.map { .descriptor($0) } ?? .null), (1, .descriptor(ends[1])), (2, .null)],
                subject: subject)
        } catch {
            close(ends[0])
            throw error
        }
        pipe = ends[0]
    }

    /// Reads to the end of the answer, of the limits, or of the caller's work, and waits for the child, which does not
    /// outlive this.
    func collect(within limits: GuardedProcess.Limits, stop: Stop) -> (bytes: Data, ending: Ending) {
        let deadline = ContinuousClock.now + .seconds(limits.patience)
        var answer = Data()
        var ending = Ending.finished
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        reading: while true {
            var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let left = (deadline - .now) / .milliseconds(1)
            // Whoever asks for a stop need not interrupt this thread.
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
            let count = unsafe read(pipe, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            answer.append(contentsOf: chunk[..<count])
            if answer.count > limits.response {
                ending = .tooLong
                break reading
            }
        }
        close(pipe)
        if case .finished = ending {} else { kill(identifier, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        if case .finished = ending, status & 0x7f != 0 { ending = .signal(status & 0x7f) }
        return (answer, ending)
    }
}
