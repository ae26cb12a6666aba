/// Something the world did wrong, in words: what, where, why, and what to do.
///
/// The program's entry alone turns it into text on stderr and an exit code.
package struct TreadleError: Error, Equatable, CustomStringConvertible {
    /// The classes of failure that scripts tell apart by exit code.
    package enum Kind: Int32, Sendable {
        case diverged = 1
        case usage = 64
        case badData = 65
        case noInput = 66
        case bug = 70
        case cannotCreate = 73
        case inputOutput = 74
        case tryAgain = 75
        case permission = 77
        case configuration = 78
    }

    package var kind: Kind
    /// One line a problem; the entry puts `error: ` before each.
    package var messages: [String]

    package init(_ kind: Kind, _ messages: String...) {
        self.kind = kind
        self.messages = messages
    }

    package init(_ kind: Kind, messages: [String]) {
        self.kind = kind
        self.messages = messages
    }

    package var exitCode: Int32 { kind.rawValue }
    package var description: String { messages.joined(separator: "\n") }
}
