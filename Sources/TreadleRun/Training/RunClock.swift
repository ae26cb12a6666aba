internal import TreadleBase

/// Seconds since a process began to train.
struct RunClock {
    private let start = ContinuousClock.now

    var seconds: Double { (ContinuousClock.now - start).seconds }
}
