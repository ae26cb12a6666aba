/// How much a line for people matters.
package enum LogLevel: String, CaseIterable, Sendable { case debug, info, warning, error }
