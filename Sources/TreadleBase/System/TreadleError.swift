internal import HDF5

/// Something the world did wrong, in words: what, where, why, and what to do.
///
/// ```swift
/// do {
///     let model = try Model(contentsOf: "models/churn.h5")
///     print(model.digest)
/// } catch {
///     for message in error.messages { print("\(error.kind): \(message)") }
/// }
/// ```
public struct TreadleError: Error, Equatable, CustomStringConvertible {
    /// The classes of failure that callers tell apart; the program exits with the raw value.
    ///
    /// ```swift
    /// if error.kind == .tryAgain { print("later") }
    /// ```
    public enum Kind: Int32, Sendable {
        /// The loss stopped being finite.
        case diverged = 1
        /// An argument that makes no sense: rows of another width than the model's.
        case usage = 64
        /// A damaged or unsuitable file, or numbers that are not finite.
        case badData = 65
        /// No such file.
        case noInput = 66
        /// A mistake of this library.
        case bug = 70
        /// A file or directory that cannot be made.
        case cannotCreate = 73
        /// Reading or writing failed: a full disk, for example.
        case inputOutput = 74
        /// Stopped as asked, or a directory is in use: the same call later goes on.
        case tryAgain = 75
        /// No right to read or write something.
        case permission = 77
        /// A configuration that is wrong; there is a message for each of its problems.
        case configuration = 78
    }

    /// What class of failure it is.
    public var kind: Kind
    /// One line a problem.
    public var messages: [String]

    package init(_ kind: Kind, _ messages: String...) {
        self.kind = kind
        self.messages = messages
    }

    package init(_ kind: Kind, messages: [String]) {
        self.kind = kind
        self.messages = messages
    }

    package var exitCode: Int32 { kind.rawValue }
    /// The messages, one a line.
    public var description: String { messages.joined(separator: "\n") }
}

extension TreadleError {
    /// `error` as it is, or what it means where a layer below threw one of its own.
    package init(of error: any Error) {
        switch error {
        case let error as TreadleError: self = error
        case let error as H5Error: self.init(error)
        default: self.init(.bug, "\(error); this is a bug in treadle, please report it")
        }
    }
}

/// Does `body` and throws what it throws as a `TreadleError`.
package func asTreadleError<Result>(_ body: () throws -> Result) throws(TreadleError) -> Result {
    do {
        return try body()
    } catch {
        throw TreadleError(of: error)
    }
}

/// How much a line for people matters, from `debug` to `error`.
///
/// ```swift
/// if case .note(.warning, let text) = event { print(text) }
/// ```
public enum LogLevel: String, CaseIterable, Sendable { case debug, info, warning, error }

extension String {
    /// This file name as one word of a shell's command line, quoted where it has to be, and never an option.
    package var shellWord: String {
        let name = hasPrefix("-") ? "./" + self : self
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            !scalar.isASCII || scalar.properties.isAlphabetic || "0123456789@%+=:,./-_".unicodeScalars.contains(scalar)
        }
        guard !isPlain || name.isEmpty else { return name }
        return "'" + name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
