/// Seconds since a process began to train.
struct RunClock {
    private let start = ContinuousClock.now

    var seconds: Double { (ContinuousClock.now - start).seconds }
}

extension Duration {
    /// The duration in seconds, to the nanosecond.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
