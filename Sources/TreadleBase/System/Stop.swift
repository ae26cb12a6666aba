internal import Synchronization

/// Asks work under way to come to an end: from any thread, once or often.
///
/// Training answers by finishing its batch and writing a checkpoint, from which a later run continues; work that has
/// nothing to save throws a `TreadleError` of the kind `tryAgain`.
///
/// ```swift
/// let stop = Stop()
/// Task {
///     try await Task.sleep(for: .seconds(3600))
///     stop.request()
/// }
/// let summary = try train(configuration, stop: stop)
/// ```
public final class Stop: Sendable {
    private let requested = Atomic<Bool>(false)
    private let elsewhere: @Sendable () -> String?

    /// A stop that nothing has asked for yet.
    public init() {
        elsewhere = { nil }
    }

    /// A stop that is also asked for by what `elsewhere` names, such as a signal. It is asked between batches.
    package init(elsewhere: @escaping @Sendable () -> String?) {
        self.elsewhere = elsewhere
    }

    /// Asks for the end. Asking again changes nothing, and there is no way back: the next work takes a new object.
    ///
    /// ```swift
    /// stop.request()
    /// ```
    public func request() { requested.store(true, ordering: .relaxed) }

    /// Whether the end was asked for.
    ///
    /// ```swift
    /// if stop.isRequested { print("stopping") }
    /// ```
    public var isRequested: Bool { reason != nil }

    /// What asked for the end, such as `SIGTERM`; nil while nothing has.
    package var reason: String? { requested.load(ordering: .relaxed) ? Stop.ownReason : elsewhere() }

    /// The reason of what was stopped by `request()`.
    static let ownReason = "request"

    /// Throws once the end was asked for: for work that has nothing to save.
    package func check() throws(TreadleError) {
        if let reason { throw Stop.error(reason) }
    }

    /// What work that has nothing to save throws where `reason` stopped it.
    package static func error(_ reason: String) -> TreadleError { TreadleError(.tryAgain, "stopped by \(reason)") }
}
