/// How much a line for people matters, from `debug` to `error`.
///
/// ```swift
/// if case .note(.warning, let text) = event { print(text) }
/// ```
public enum LogLevel: String, CaseIterable, Sendable { case debug, info, warning, error }
