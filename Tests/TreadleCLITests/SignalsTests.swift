import Foundation
import TestSupport
import Testing
import TreadleBase

@testable import TreadleCLI

// Each in a process of its own: signals are the whole process's, and any of its threads may take them.
@Suite struct SignalsTests {
    @Test func `SIGTERM and SIGINT ask for a stop, and the first is named`() async {
        await #expect(processExitsWith: .success) {
            try Signals.install()
            let stop = Signals.stop
            try stop.check()
            guard !stop.isRequested, stop.reason == nil else { exit(1) }
            kill(getpid(), SIGTERM)
            kill(getpid(), SIGTERM)
            guard eventually({ stop.isRequested }), stop.reason == "SIGTERM" else { exit(2) }
            guard (try? stop.check()) == nil else { exit(3) }
        }
    }

    @Test func `SIGUSR2, which launchers pass on to ranks, asks for a stop`() async {
        await #expect(processExitsWith: .success) {
            try Signals.install()
            let stop = Signals.stop
            kill(getpid(), SIGUSR2)
            guard eventually({ stop.isRequested }), stop.reason == "SIGUSR2" else { exit(1) }
        }
    }

    @Test func `the second SIGINT ends the process by that signal`() async {
        await #expect(processExitsWith: .signal(SIGINT)) {
            try Signals.install()
            let stop = Signals.stop
            kill(getpid(), SIGINT)
            guard eventually({ stop.reason == "SIGINT" }) else { exit(1) }
            // One that comes at once is the same; a later one of these ends the process.
            _ = eventually {
                kill(getpid(), SIGINT)
                return false
            }
            exit(0)
        }
    }

    @Test func `a SIGINT that comes twice at once, as timeout sends it, is one`() async {
        await #expect(processExitsWith: .success) {
            try Signals.install()
            let stop = Signals.stop
            // A signal to the thread itself has done what it does when the call returns.
            raise(SIGINT)
            guard stop.reason == "SIGINT" else { exit(1) }
            raise(SIGINT)
            exit(0)
        }
    }

    @Test func `SIGHUP and SIGUSR1 ask for one checkpoint each time`() async {
        await #expect(processExitsWith: .success) {
            try Signals.install()
            let stop = Signals.stop
            for signal in [SIGHUP, SIGUSR1] {
                guard !Signals.takeCheckpointRequest() else { exit(1) }
                kill(getpid(), signal)
                guard eventually({ Signals.takeCheckpointRequest() }) else { exit(2) }
                guard !Signals.takeCheckpointRequest() else { exit(3) }
            }
            guard !stop.isRequested else { exit(4) }
        }
    }

    @Test func `writing to a closed pipe fails instead of killing`() async {
        await #expect(processExitsWith: .success) {
            try Signals.install()
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { exit(1) }
            close(ends[0])
            guard write(ends[1], "x", 1) == -1, errno == EPIPE else { exit(2) }
        }
    }
}
