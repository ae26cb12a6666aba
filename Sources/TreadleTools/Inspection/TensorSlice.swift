package import HDF5
package import TreadleBase

/// A part of an array, as `name[0:3,:5]` asks for it: a number picks one row and drops its axis, a range keeps its axis,
/// negative numbers count from the end, missing axes are taken whole.
package struct TensorSlice: Equatable, Sendable {
    private enum Part: Equatable, Sendable {
        case index(Int)
        case range(Int?, Int?)
    }

    /// The slice as written, without brackets; empty for all.
    private let text: String
    private let parts: [Part]

    package static let everything = TensorSlice(text: "", parts: [])

    private init(text: String, parts: [Part]) {
        self.text = text
        self.parts = parts
    }

    /// Reads what stands between the brackets.
    package init(parsing text: String) throws(TreadleError) {
        func number(_ word: Substring) throws(TreadleError) -> Int? {
            let digits = word.filter { $0 != " " }
            if digits.isEmpty { return nil }
            guard let value = Int(digits) else { throw Self.unclear(text) }
            return value
        }
        var parts: [Part] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: ":", omittingEmptySubsequences: false)
            if ends.count == 1, let index = try number(ends[0]) {
                parts.append(.index(index))
            } else if ends.count == 2 {
                parts.append(.range(try number(ends[0]), try number(ends[1])))
            } else {
                throw Self.unclear(text)
            }
        }
        self.init(text: text, parts: parts)
    }

    private static func unclear(_ text: String) -> TreadleError {
        TreadleError(
            .usage, "[\(text.printable)] is no slice; write numbers and ranges with commas, as in [0:3,:5] or [-1]")
    }

    /// Splits `name[slice]`; without brackets at its end, all of it is the name.
    package static func split(_ text: String) throws(TreadleError) -> (name: String, slice: TensorSlice) {
        guard text.hasSuffix("]"), let open = text.lastIndex(of: "[") else { return (text, .everything) }
        let inner = text[text.index(after: open)...].dropLast()
        return (String(text[..<open]), try TensorSlice(parsing: String(inner)))
    }

    /// The box of an array of this shape, and the shape of what is in it.
    package func box(in shape: [Int], of name: String) throws(TreadleError) -> (box: Hyperslab, shape: [Int]) {
        let extents = shape.map(String.init).joined(separator: "×")
        guard parts.count <= shape.count else {
            throw TreadleError(
                .usage,
                "\(name.printable) has the shape \(extents.isEmpty ? "of a single number" : extents), which "
                    + "[\(text.printable)] has too many parts for")
        }
        var (start, count, kept) = ([Int](), [Int](), [Int]())
        for (axis, extent) in shape.enumerated() {
            switch axis < parts.count ? parts[axis] : .range(nil, nil) {
            case .index(let index):
                let place = index < 0 ? extent + index : index
                guard (0..<extent).contains(place) else {
                    throw TreadleError(
                        .usage,
                        "\(name.printable) has the shape \(extents), which has no \(index) along axis \(axis + 1)")
                }
                start.append(place)
                count.append(1)
            case .range(let lower, let upper):
                // Ends beyond the array are cut, as Python does.
                func clamped(_ end: Int) -> Int { min(max(end < 0 ? extent + max(end, -extent) : end, 0), extent) }
                let first = lower.map(clamped) ?? 0
                let last = max(first, upper.map(clamped) ?? extent)
                start.append(first)
                count.append(last - first)
                kept.append(last - first)
            }
        }
        return (Hyperslab(start: start, count: count), kept)
    }
}

/// Some numbers or texts of an array, row-major.
package struct SlicedArray: Codable, Equatable, Sendable {
    package var name: String
    package var type: String
    /// Of what is here.
    package var shape: [Int]
    package var isInteger: Bool
    package var numbers: [Double]
    package var texts: [String]?
}
