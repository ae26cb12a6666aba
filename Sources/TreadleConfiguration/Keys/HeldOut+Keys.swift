internal import TreadleBase

extension Form where Value == HeldOut? {
    /// `data.test`: an object with files or the files alone, or which of the training rows.
    static let heldOut: Form = {
        let object = DataSource.section.form
        let share = Form<Double>.properShare
        let date = Form<String>("a date such as \"2026-01-31\"") { node in
            node.plainText.flatMap { Day.number($0) == nil ? nil : $0 }
        } print: {
            .text($0)
        }
        let name = Form<String>("the name of a column") {
            $0.plainText
        } print: {
            .text($0)
        }
        let splits = ["fraction", "group", "after", "column"]
        let expected =
            "{ fraction: … }, { group: … }, { after: … }, an object with files, the files alone, or null"

        @Sendable func split(
            _ node: JSON5Node, _ members: [JSON5Node.Member], _ path: String, _ problems: inout Problems
        ) -> HeldOut?? {
            let isAfter = members.contains { $0.key == "after" || $0.key == "column" }
            let keys = isAfter ? ["after", "column"] : ["fraction", "group"]
            for member in members where !keys.contains(member.key) {
                problems.report(
                    "\(path) takes files, a fraction (with a group or without) or a date (after, column), not both; remove \(quoted(member.key))",
                    at: member.origin, path: path)
            }
            if isAfter {
                guard let start = node["after"] else {
                    problems.report("missing key \"after\" in \(path): the first date", at: node.origin, path: path)
                    return nil
                }
                let column = node["column"].flatMap { name.read($0, "\(path).column", &problems) }
                return date.read(start, "\(path).after", &problems).map { .after($0, column: column) }
            }
            let group = node["group"].flatMap { name.read($0, "\(path).group", &problems) }
            let fraction = node["fraction"].map { share.read($0, "\(path).fraction", &problems) } ?? 0.2
            return fraction.map { .fraction($0, group: group) }
        }

        var form = Form(expected) { node, path, problems in
            guard !node.isNull else { return .some(nil) }
            let isSplit = splits.contains { node[$0] != nil }
            guard case .object(let members) = node.value, isSplit || node["files"] == nil else {
                return Form<DataSource>.source.read(node, path, &problems).map { .source($0) }
            }
            guard members.contains(where: { splits.contains($0.key) }) else {
                let isNear = members.contains { nearest(to: $0.key, among: splits) != nil }
                guard isNear else { return object.read(node, path, &problems).map { .source($0) } }
                problems.report(
                    "\(path) must be \(expected); its keys are \(splits.joined(separator: ", "))", at: node.origin,
                    path: path)
                return nil
            }
            return split(node, members, path, &problems)
        } write: { held, influence in
            func member(_ key: String, _ value: PrintedValue) -> PrintedValue.Member { .init(key: key, value: value) }
            switch held {
            case nil: return .null
            // Other files of test rows never change the weights.
            case .source(let source): return influence.contains(.nothing) ? object.write(source, influence) : .null
            case .fraction(let share, let group):
                return .object(
                    [member("fraction", .number(share))] + (group.map { [member("group", .text($0))] } ?? []))
            case .after(let date, let column):
                return .object([member("after", .text(date))] + (column.map { [member("column", .text($0))] } ?? []))
            }
        }
        form.settings = { path in
            func setting(_ key: String, _ expected: String, _ summary: String, _ defaultText: String?) -> Setting {
                Setting(
                    path: "\(path).\(key)", expected: expected, defaultText: defaultText, summary: summary,
                    influence: .meaning)
            }
            return [
                setting(
                    "fraction", share.expected,
                    "the share of the training rows that is kept for the test, of each class where there are classes",
                    "0.2"),
                setting(
                    "group", name.expected + ", or the path of a dataset with a value for each row",
                    "all rows with the same value of it are on one side: customers, patients, machines", "null"),
                setting("after", date.expected, "the rows from this date on are kept for the test", nil),
                setting("column", name.expected, "which date, where a table has several", "the only one"),
            ] + Form<DataSource>.sourceBesideTraining.settings(path)
        }
        return form
    }()
}
