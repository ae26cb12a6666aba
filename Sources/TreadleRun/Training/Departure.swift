/// Why a process leaves a run before the run's end; the next process continues.
enum Departure: Error, Equatable {
    case signal(String)
    case wallTime
}
