package enum ByteOrder: String, Codable, Sendable { case little, big }

/// Where the bits of a binary floating-point number are, as HDF5 describes them.
package struct FloatFormat: Hashable, Codable, Sendable {
    /// Size in bytes.
    package var size: Int
    package var order: ByteOrder
    package var signBit: Int
    package var exponentPosition: Int
    package var exponentSize: Int
    package var mantissaPosition: Int
    package var mantissaSize: Int
    package var bias: Int

    package static func half(_ order: ByteOrder = .little) -> FloatFormat { ieee(2, order, exponent: 5) }
    package static func single(_ order: ByteOrder = .little) -> FloatFormat { ieee(4, order, exponent: 8) }
    package static func double(_ order: ByteOrder = .little) -> FloatFormat { ieee(8, order, exponent: 11) }
    /// The upper half of a single: eight bits of exponent, seven of mantissa.
    package static func bfloat16(_ order: ByteOrder = .little) -> FloatFormat { ieee(2, order, exponent: 8) }

    private static func ieee(_ size: Int, _ order: ByteOrder, exponent: Int) -> FloatFormat {
        let mantissa = size * 8 - 1 - exponent
        return FloatFormat(
            size: size, order: order, signBit: size * 8 - 1, exponentPosition: mantissa, exponentSize: exponent,
            mantissaPosition: 0, mantissaSize: mantissa, bias: (1 << (exponent - 1)) - 1)
    }
}

package struct StringFormat: Hashable, Codable, Sendable {
    package enum Padding: String, Codable, Sendable { case nullTerminated, nullPadded, spacePadded }
    package enum Characters: String, Codable, Sendable { case ascii, utf8 }

    /// Bytes of each string; nil: variable length.
    package var size: Int?
    package var padding: Padding
    package var characters: Characters

    package init(size: Int?, padding: Padding = .nullPadded, characters: Characters = .utf8) {
        self.size = size
        self.padding = size == nil ? .nullTerminated : padding
        self.characters = characters
    }
}

/// The type of one element of a dataset or an attribute, as the file stores it.
package indirect enum ElementType: Hashable, Codable, Sendable {
    package struct Member: Hashable, Codable, Sendable {
        package var name: String
        /// The value's bits, sign-extended; unsigned values beyond `Int64.max` wrap.
        package var value: Int64
        package init(name: String, value: Int64) {
            self.name = name
            self.value = value
        }
    }
    package struct Field: Hashable, Codable, Sendable {
        package var name: String
        package var offset: Int
        package var type: ElementType
    }

    /// Two's complement or unsigned, using every bit of `size` bytes.
    case integer(signed: Bool, size: Int, order: ByteOrder)
    /// An integer that occupies only some of its bits.
    case partialInteger(signed: Bool, size: Int, order: ByteOrder, precision: Int, offset: Int)
    case float(FloatFormat)
    case string(StringFormat)
    case enumeration(base: ElementType, members: [Member])
    case compound(size: Int, fields: [Field])
    case array(element: ElementType, shape: [Int])
    case variableArray(element: ElementType)
    case reference(size: Int)
    case opaque(size: Int, tag: String)
    case bitfield(size: Int)
    case time(size: Int)

    package static func int(_ bits: Int, _ order: ByteOrder = .little) -> ElementType {
        .integer(signed: true, size: bits / 8, order: order)
    }
    package static func uint(_ bits: Int, _ order: ByteOrder = .little) -> ElementType {
        .integer(signed: false, size: bits / 8, order: order)
    }
    package static let float16 = ElementType.float(.half())
    package static let bfloat16 = ElementType.float(.bfloat16())
    package static let float32 = ElementType.float(.single())
    package static let float64 = ElementType.float(.double())
    /// Variable-length UTF-8.
    package static let text = ElementType.string(StringFormat(size: nil))
    /// A boolean as h5py writes it.
    package static let boolean = ElementType.enumeration(
        base: .int(8), members: [Member(name: "FALSE", value: 0), Member(name: "TRUE", value: 1)])

    /// Whether libhdf5 converts it to a number: integers, floats and enumerations.
    package var isNumeric: Bool {
        switch self {
        case .integer, .partialInteger, .float, .enumeration: true
        default: false
        }
    }

    /// Whether it is an enumeration of FALSE and TRUE.
    package var isBoolean: Bool {
        guard case .enumeration(_, let members) = self else { return false }
        return members.count == 2
            && Set(members.map { "\($0.name.uppercased())=\($0.value)" }) == ["FALSE=0", "TRUE=1"]
    }

    /// Bytes of one element in the file; nil for those of variable length.
    package var size: Int? {
        switch self {
        case .integer(_, let size, _), .partialInteger(_, let size, _, _, _), .compound(let size, _),
            .reference(let size), .opaque(let size, _), .bitfield(let size), .time(let size):
            size
        case .float(let format): format.size
        case .string(let format): format.size
        case .enumeration(let base, _): base.size
        case .array(let element, let shape): element.size.flatMap { shape.boundedProduct(times: $0) }
        case .variableArray: nil
        }
    }
}

extension ElementType: CustomStringConvertible {
    /// A short name such as "float32", "big-endian int16", "string[8]", "boolean".
    package var description: String {
        func ordered(_ order: ByteOrder, _ size: Int, _ name: String) -> String {
            order == .big && size > 1 ? "big-endian \(name)" : name
        }
        switch self {
        case .integer(let signed, let size, let order):
            return ordered(order, size, (signed ? "int" : "uint") + "\(size * 8)")
        case .partialInteger(let signed, let size, let order, let precision, _):
            return ordered(order, size, (signed ? "int" : "uint") + "\(size * 8) of \(precision) bits")
        case .float(let format):
            for (name, known) in [
                ("float16", FloatFormat.half), ("bfloat16", FloatFormat.bfloat16), ("float32", FloatFormat.single),
                ("float64", FloatFormat.double),
            ] where known(format.order) == format {
                return ordered(format.order, format.size, name)
            }
            return ordered(
                format.order, format.size,
                "float of \(format.size) bytes (\(format.exponentSize)-bit exponent, \(format.mantissaSize)-bit mantissa)"
            )
        case .string(let format): return format.size.map { "string[\($0)]" } ?? "string"
        case .enumeration(let base, let members):
            return isBoolean ? "boolean" : "enumeration of \(members.count) names (\(base))"
        case .compound(_, let fields):
            let shown = fields.prefix(8).map { "\($0.name.printable): \($0.type)" }
            return "compound {\(shown.joined(separator: ", "))\(fields.count > 8 ? ", …" : "")}"
        case .array(let element, let shape):
            return "array \(shape.map(String.init).joined(separator: "×")) of \(element)"
        case .variableArray(let element): return "variable-length array of \(element)"
        case .reference: return "reference"
        case .opaque(let size, let tag): return "opaque of \(size) bytes" + (tag.isEmpty ? "" : " (\(tag.printable))")
        case .bitfield(let size): return "bitfield of \(size) bytes"
        case .time: return "time"
        }
    }
}

extension Sequence<Int> {
    /// The product of all and `factor`, or nil beyond `Int.max`.
    package func boundedProduct(times factor: Int = 1) -> Int? {
        var product = factor
        for value in self {
            let (next, overflow) = product.multipliedReportingOverflow(by: value)
            guard !overflow else { return nil }
            product = next
        }
        return product
    }
}
