internal import TreadleBase

/// NumPy's array file: a line of Python that describes an array, and its elements.
package enum NPY {
    package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Reads the header that `source` stands at; the elements follow.
    package static func open(_ source: ByteSource, label: String, name: String) throws -> ArrayFile {
        let start = try source.bytes(8, what: "the header")
        guard Array(start[..<6]) == magic else {
            throw TreadleError(.badData, "\(label) is no NPY array: it does not begin with \\x93NUMPY")
        }
        guard (1...3).contains(start[6]) else {
            throw TreadleError(.badData, "\(label) has NPY version \(start[6]); versions 1 to 3 can be read")
        }
        let lengthBytes = try source.bytes(start[6] == 1 ? 2 : 4, what: "the header")
        let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= 1 << 20 else {
            throw TreadleError(.badData, "\(label) has a header of \(length) bytes; no NumPy array needs that")
        }
        let text = String(decoding: try source.bytes(length, what: "the header"), as: UTF8.self)
        let header = try Header(text, label)
        return try ArrayFile(
            label: label, name: name, shape: header.shape, element: header.element,
            isColumnMajor: header.isColumnMajor, source: source)
    }

    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }`
    private struct Header {
        var element: StoredElement
        var isColumnMajor: Bool
        var shape: [Int]

        init(_ text: String, _ label: String) throws {
            func unreadable(_ what: String) -> TreadleError {
                TreadleError(
                    .badData, "\(label): the header's \(what) cannot be read; save the array again with numpy.save")
            }
            func value(of key: String) -> Substring? {
                for quote in ["'", "\""] {
                    guard let found = text.firstRange(of: "\(quote)\(key)\(quote)") else { continue }
                    let rest = text[found.upperBound...].drop { $0 == " " }
                    guard rest.first == ":" else { continue }
                    return rest.dropFirst().drop { $0 == " " }
                }
                return nil
            }
            guard let descr = value(of: "descr"), let quote = descr.first else { throw unreadable("descr") }
            guard quote != "[" else {
                throw TreadleError(
                    .badData,
                    "\(label) is a structured array; save its fields as one plain array of rows and columns")
            }
            guard quote == "'" || quote == "\"" else { throw unreadable("descr") }
            element = try Self.element(String(descr.dropFirst().prefix { $0 != quote }), label)
            guard let order = value(of: "fortran_order") else { throw unreadable("fortran_order") }
            isColumnMajor = order.hasPrefix("True")
            guard let dimensions = value(of: "shape"), dimensions.first == "(",
                let close = dimensions.firstIndex(of: ")")
            else { throw unreadable("shape") }
            let inside = dimensions[dimensions.index(after: dimensions.startIndex)..<close]
            shape = try inside.split(separator: ",").compactMap { part in
                let digits = part.filter { $0 != " " && $0 != "L" }
                if digits.isEmpty { return nil }
                guard let size = Int(digits), size >= 0 else { throw unreadable("shape") }
                return size
            }
        }

        private static func element(_ descr: String, _ label: String) throws -> StoredElement {
            let isBigEndian = descr.first == ">"
            let code = descr.drop { "<>|=".contains($0) }
            guard let letter = code.first, let size = Int(code.dropFirst()) else {
                if code == "O" {
                    throw TreadleError(
                        .badData,
                        "\(label) holds Python objects; convert it before saving, as in a.astype(\"float32\") or a.astype(str)"
                    )
                }
                throw TreadleError(
                    .badData, "\(label) has the element type \"\(descr.prefix(40))\", which is not a number")
            }
            let kind: StoredElement.Kind? =
                switch (letter, size) {
                case ("b", 1): .boolean
                case ("u", 1), ("u", 2), ("u", 4), ("u", 8): .unsigned(size)
                case ("i", 1), ("i", 2), ("i", 4), ("i", 8): .signed(size)
                case ("f", 2), ("f", 4), ("f", 8): .float(size)
                case ("S", 1...1 << 20): .bytes(size)
                case ("U", 1...1 << 18): .characters(size)
                default: nil
                }
            guard let kind else {
                throw TreadleError(
                    .badData, "\(label) has the element type \"\(descr)\"; numbers, booleans and texts can be imported")
            }
            return StoredElement(kind: kind, isBigEndian: isBigEndian)
        }
    }
}
