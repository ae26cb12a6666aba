/// Why a process leaves a run before the run's end; the next process continues.
enum Departure: Error, Equatable {
    /// The end was asked for: by what.
    case stop(String)
    case wallTime
}
