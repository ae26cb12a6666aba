/// An option of a command: a switch, or a name with a value.
struct Option: Sendable {
    /// Without the dashes: `output`.
    let long: String
    let short: Character?
    /// As help shows it: `FILE`; nil for a switch.
    let valueName: String?
    let values: ValueKind
    let summary: String
    let isRepeatable: Bool

    /// A switch: there or not.
    static func flag(_ long: String, short: Character? = nil, _ summary: String) -> Option {
        Option(
            long: long, short: short, valueName: nil, values: .text, summary: summary, isRepeatable: false)
    }

    /// An option that takes a value. A choice is checked when the command line is read.
    static func value(
        _ long: String, short: Character? = nil, _ valueName: String, _ summary: String, values: ValueKind = .text,
        repeatable: Bool = false
    ) -> Option {
        Option(
            long: long, short: short, valueName: valueName, values: values, summary: summary,
            isRepeatable: repeatable)
    }

    var takesValue: Bool { valueName != nil }

    /// `-o, --output FILE`
    var usage: String {
        let names = (short.map { "-\($0), " } ?? "    ") + "--\(long)"
        return valueName.map { "\(names) \($0)" } ?? names
    }
}

extension Option {
    static let set = Option.value(
        "set", "KEY=VALUE", "override a setting of the configuration, as in optimizer.lr=0.01",
        repeatable: true)
    static let threads = Option.value(
        "threads", "N", "use so many threads; changes the speed alone, never a result")
    static let quiet = Option.flag("quiet", short: "q", "say nothing but warnings and errors")
    static let json = Option.flag("json", "write machine-readable JSON to stdout")
    static let help = Option.flag("help", short: "h", "show this help")
    static let version = Option.flag("version", "show the versions of the program, of HDF5, and the instruction set")

    /// What every command accepts.
    static let everywhere = [set, threads, quiet, json, help, version]
}
