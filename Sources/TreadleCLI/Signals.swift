internal import CSystem
internal import Glibc
internal import TreadleBase

/// What signals ask of the program, as flags that work polls between its steps.
///
/// SIGTERM, SIGINT, SIGUSR2 and SIGXCPU ask for a stop; a SIGINT some time after ends the process at once. SIGHUP and SIGUSR1
/// ask for a checkpoint. SIGPIPE and SIGXFSZ are ignored: the write that they are about fails and says why.
/// The handlers replace inherited ones, an ignored SIGHUP or SIGINT (`nohup`, `&` in a script) included.
enum Signals {
    /// The stop that the handlers ask for.
    static var stop: Stop { Stop { name } }

    /// Installs the handlers, once, when the program starts.
    static func install() throws {
        let failure = csystem_watch_signals()
        if failure != 0 {
            throw TreadleError(.bug, "signal handlers could not be installed: \(TreadleError.reason(failure))")
        }
    }

    /// Lets signals wait until `install` or `release`: one that comes while the program starts does what one does that comes
    /// later.
    static func hold() { _ = csystem_hold_requests() }

    /// Lets signals do what they do to any process.
    static func release() { _ = csystem_release_requests() }

    /// The signal that asked for a stop.
    private static var name: String? {
        switch csystem_stop_signal() {
        case 0: nil
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGUSR2: "SIGUSR2"
        case SIGXCPU: "SIGXCPU"
        case let other: "signal \(other)"
        }
    }

    /// Whether a checkpoint was asked for; asking clears the request.
    static func takeCheckpointRequest() -> Bool { csystem_take_checkpoint_request() != 0 }
}
