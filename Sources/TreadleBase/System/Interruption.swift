internal import CSystem
internal import Glibc

/// What signals ask of the program, as flags that work polls between its steps.
///
/// SIGTERM, SIGINT and SIGUSR2 ask for a stop; a SIGINT some time after ends the process at once. SIGHUP and SIGUSR1 ask for
/// a checkpoint. SIGPIPE and SIGXFSZ are ignored: the write that they are about fails and says why.
/// The handlers replace inherited ones, an ignored SIGHUP or SIGINT (`nohup`, `&` in a script) included.
package enum Interruption {
    /// Installs the handlers, once, when the program starts.
    package static func install() throws {
        let failure = csystem_watch_signals()
        if failure != 0 {
            throw TreadleError(.bug, "signal handlers could not be installed: \(TreadleError.reason(failure))")
        }
    }

    /// Whether the work under way should come to an end: with a checkpoint, where there is one to write.
    package static var stopRequested: Bool { csystem_stop_signal() != 0 }

    /// What asked for the stop, such as `SIGTERM`; nil while nothing has.
    package static var stopSignal: String? {
        switch csystem_stop_signal() {
        case 0: nil
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGUSR2: "SIGUSR2"
        case let other: "signal \(other)"
        }
    }

    /// Whether a checkpoint was asked for; asking clears the request.
    package static func takeCheckpointRequest() -> Bool { csystem_take_checkpoint_request() != 0 }

    /// Throws once a stop was asked for: for work that has nothing to save.
    package static func check() throws {
        guard let signal = stopSignal else { return }
        throw TreadleError(.tryAgain, "stopped by \(signal)")
    }
}
