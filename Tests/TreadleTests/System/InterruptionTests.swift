import Foundation
import Testing
import TreadleBase

// Each in a process of its own: signals are the whole process's.
@Suite struct InterruptionTests {
    @Test func `SIGTERM and SIGINT ask for a stop, and the first is named`() async {
        await #expect(processExitsWith: .success) {
            try Interruption.install()
            try Interruption.check()
            guard !Interruption.stopRequested, Interruption.stopSignal == nil else { exit(1) }
            kill(getpid(), SIGTERM)
            kill(getpid(), SIGTERM)
            guard wait({ Interruption.stopRequested }), Interruption.stopSignal == "SIGTERM" else { exit(2) }
            guard (try? Interruption.check()) == nil else { exit(3) }
        }
    }

    @Test func `SIGUSR2, which launchers pass on to ranks, asks for a stop`() async {
        await #expect(processExitsWith: .success) {
            try Interruption.install()
            kill(getpid(), SIGUSR2)
            guard wait({ Interruption.stopRequested }), Interruption.stopSignal == "SIGUSR2" else { exit(1) }
        }
    }

    @Test func `the second SIGINT ends the process by that signal`() async {
        await #expect(processExitsWith: .signal(SIGINT)) {
            try Interruption.install()
            kill(getpid(), SIGINT)
            guard wait({ Interruption.stopSignal == "SIGINT" }) else { exit(1) }
            usleep(60_000)
            kill(getpid(), SIGINT)
            _ = wait { false }
            exit(0)
        }
    }

    @Test func `a SIGINT that comes twice at once, as timeout sends it, is one`() async {
        await #expect(processExitsWith: .success) {
            try Interruption.install()
            kill(getpid(), SIGINT)
            guard wait({ Interruption.stopSignal == "SIGINT" }) else { exit(1) }
            kill(getpid(), SIGINT)
            usleep(10_000)
            exit(0)
        }
    }

    @Test func `SIGHUP and SIGUSR1 ask for one checkpoint each time`() async {
        await #expect(processExitsWith: .success) {
            try Interruption.install()
            for signal in [SIGHUP, SIGUSR1] {
                guard !Interruption.takeCheckpointRequest() else { exit(1) }
                kill(getpid(), signal)
                guard wait({ Interruption.takeCheckpointRequest() }) else { exit(2) }
                guard !Interruption.takeCheckpointRequest() else { exit(3) }
            }
            guard !Interruption.stopRequested else { exit(4) }
        }
    }

    @Test func `writing to a closed pipe fails instead of killing`() async {
        await #expect(processExitsWith: .success) {
            try Interruption.install()
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { exit(1) }
            close(ends[0])
            guard write(ends[1], "x", 1) == -1, errno == EPIPE else { exit(2) }
        }
    }
}

/// Whether `condition` comes true within a few seconds: another thread may take the signal.
private func wait(_ condition: () -> Bool) -> Bool {
    for _ in 0..<500 {
        if condition() { return true }
        usleep(10_000)
    }
    return false
}
