internal import HDF5
internal import TreadleData

/// What an import has made of each column, as a table for people.
struct FindingsText {
    private let findings: [TableFinding]

    init(_ findings: [TableFinding]) { self.findings = findings }

    /// Plain numbers beyond so many columns are counted, not listed.
    private static let most = 60

    var text: String {
        var table = TextTable([
            .init("column"), .init("kind"), .init("inputs", .right), .init("missing", .right), .init("values"),
            .init(""),
        ])
        let isLong = findings.count > Self.most
        let shown = isLong ? findings.filter { $0.kind != "number" || !$0.note.isEmpty } : findings
        for finding in shown.prefix(10 * Self.most) {
            table.add([
                Self.short(finding.name, 32), finding.kind, finding.inputs == 0 ? "" : "\(finding.inputs)",
                Self.share(finding.missing), Self.short(finding.values, 40), finding.note,
            ])
        }
        var text = table.text(indentation: 2)
        let rest = findings.count - min(shown.count, 10 * Self.most)
        if rest > 0 {
            text +=
                "  and \(rest) more column\(rest == 1 ? "" : "s")\(shown.count <= 10 * Self.most ? " of numbers" : "")\n"
        }
        return "columns:\n"
            + text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                String(line.reversed().drop { $0 == " " }.reversed())
            }.joined(separator: "\n").trimmingLineEnd
    }

    private static func short(_ text: String, _ width: Int) -> String {
        let printable = text.printable
        return printable.count > width ? printable.prefix(width - 1) + "…" : printable
    }

    private static func share(_ share: Double) -> String {
        if share == 0 { return "" }
        let percent = share * 100
        return percent < 0.1
            ? "< 0.1 %" : percent < 10 ? "\((percent * 10).rounded() / 10) %" : "\(Int(percent.rounded())) %"
    }
}

extension String {
    fileprivate var trimmingLineEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}
