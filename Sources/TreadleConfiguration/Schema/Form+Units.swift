internal import TreadleBase

/// Forms of values with units, and of values that the program may choose.
extension Form where Value: Equatable {
    /// `"auto"`, or this form.
    var orAutomatic: Form<Automatic<Value>> {
        Form<Automatic<Value>>("\"auto\" or \(expected)") { [self] node, path, problems in
            if case .text("auto") = node.value { return .automatic }
            var inner = Problems()
            if let value = read(node, path, &inner) { return .value(value) }
            problems.report(
                "\(path) must be \"auto\" or \(expected); found \(node.description)", at: node.origin, path: path)
            return nil
        } write: { [self] value, influence in
            switch value {
            case .automatic: .text("auto")
            case .value(let value): write(value, influence)
            }
        }
    }
}

extension Form where Value == Duration {
    /// Parts with units, largest first ("1h30m", "90s", "250ms"), or seconds.
    static func duration(orZero: Bool = false) -> Form {
        Form("a time \(orZero ? "of at least 0 " : "")such as \"90s\", \"10m\", \"1h30m\", or seconds") { node in
            var duration: Duration?
            switch node.value {
            case .number(let number): duration = Duration(seconds: number.double)
            case .text(let text): duration = Duration(text)
            default: break
            }
            guard let duration, duration > .zero || (orZero && duration == .zero) else { return nil }
            return duration
        } print: {
            .text($0.unitsText)
        }
    }
}

extension Form where Value == Amount {
    static let amount = Form("an amount such as \"300MB\", \"2GiB\", \"25%\", or bytes") { node in
        switch node.value {
        case .number(let number):
            return number.integer(as: Int.self).flatMap { $0 > 0 ? .bytes($0) : nil }
        case .text(let text):
            if let share = percent(text) { return share > 0 && share <= 1 ? .share(share) : nil }
            return bytes(ofText: text).flatMap { $0 > 0 ? .bytes($0) : nil }
        default: return nil
        }
    } print: { amount in
        switch amount {
        case .bytes(let count): bytesText(count).map { .text($0) } ?? .literal("\(count)")
        case .share(let share): .text(percentText(ofShare: share))
        }
    }
}

extension Form where Value == Tolerance {
    static let tolerance = Form("a number of at least 0, or a share such as \"2%\"") { node in
        switch node.value {
        case .number(let number): number.double >= 0 && number.double.isFinite ? .absolute(number.double) : nil
        case .text(let text): percent(text).flatMap { $0 >= 0 ? .share($0) : nil }
        default: nil
        }
    } print: { tolerance in
        switch tolerance {
        case .absolute(let value): .number(value)
        case .share(let share): .text(percentText(ofShare: share))
        }
    }
}

extension Duration {
    /// A number of seconds, to the nanosecond; nil where it is no time up to some 290 years.
    fileprivate init?(seconds: Double) {
        let nanoseconds = (seconds * 1e9).rounded()
        guard nanoseconds.isFinite, abs(nanoseconds) < 0x1p63 else { return nil }
        self = .nanoseconds(Int64(nanoseconds))
    }

    /// The time that text with units says: `1h30m`, `90s`, `1.5h`, `250ms`.
    package init?(_ text: String) {
        let units: [(name: String, seconds: Double)] = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1), ("ms", 1e-3)]
        var rest = Substring(text)
        var total = Duration.zero
        var lastUnit = -1
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let unit = units.firstIndex(where: { $0.name == name }), unit > lastUnit,
                digits.first != ".", digits.last != ".", let count = Double(digits),
                let part = Duration(seconds: count * units[unit].seconds), total < .seconds(1 << 32)
            else { return nil }
            lastUnit = unit
            total += part
        }
        guard lastUnit >= 0 else { return nil }
        self = total
    }

    /// The same time in days, hours, minutes and seconds: reads back to the nanosecond.
    package var unitsText: String {
        let (seconds, attoseconds) = components
        var text = ""
        for (name, size) in [("d", 86400), ("h", 3600), ("m", 60)] as [(String, Int64)] {
            let count = size == 86400 ? seconds / size : seconds % (size * (size == 3600 ? 24 : 60)) / size
            if count > 0 { text += "\(count)\(name)" }
        }
        let fraction = String(attoseconds / 1_000_000_000 + 1_000_000_000).dropFirst()
        let digits = String(fraction.reversed().drop { $0 == "0" }.reversed())
        if seconds % 60 > 0 || !digits.isEmpty || text.isEmpty {
            text += "\(seconds % 60)" + (digits.isEmpty ? "" : ".\(digits)") + "s"
        }
        return text
    }
}

private let byteUnits: [(name: String, size: Int)] = [
    ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000),
    ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1000), ("KB", 1000), ("B", 1),
]

private func bytes(ofText text: String) -> Int? {
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
    let name = text.dropFirst(digits.count).drop { $0 == " " }
    guard let unit = byteUnits.first(where: { $0.name == name }), digits.first != ".", digits.last != "." else {
        return nil
    }
    if let count = Int(digits) {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.size)
        return overflow ? nil : bytes
    }
    guard let count = Double(digits) else { return nil }
    return Int(exactly: (count * Double(unit.size)).rounded())
}

/// The count in the largest unit that says it exactly; nil where only bytes do.
private func bytesText(_ count: Int) -> String? {
    byteUnits.first { $0.size > 1 && count >= $0.size && count % $0.size == 0 }
        .map { "\(count / $0.size)\($0.name)" }
}

/// `"12.5%"` is 0.125: the decimal point moves in the text, so that no rounding happens twice.
private func percent(_ text: String) -> Double? {
    guard text.hasSuffix("%") else { return nil }
    let digits = text.dropLast()
    guard digits.first?.isNumber == true, digits.allSatisfy({ $0.isASCII && ($0.isNumber || ".e-".contains($0)) })
    else {
        return nil
    }
    let parts = digits.split(separator: "e", omittingEmptySubsequences: false)
    guard parts.count <= 2, let exponent = parts.count == 2 ? Int(parts[1]) : 0, abs(exponent) < 1000 else {
        return nil
    }
    return Double("\(parts[0])e\(exponent - 2)")
}

private func percentText(ofShare share: Double) -> String {
    for candidate in [share * 100, (share * 100).rounded()] {
        let printed = "\(candidate)"
        let text = (printed.hasSuffix(".0") ? String(printed.dropLast(2)) : printed) + "%"
        if !text.contains("+"), percent(text) == share { return text }
    }
    let parts = "\(share)".split(separator: "e")
    let exponent = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
    return "\(parts[0])e\(exponent + 2)%"
}
