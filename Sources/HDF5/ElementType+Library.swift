internal import CHDF5Shims

extension ElementType {
    /// How deep types may nest before a file counts as hostile.
    private static let deepest = 32

    /// Reads libhdf5's description of a type; call inside the lock.
    static func describing(_ id: hid_t, in subject: String, depth: Int = 0) throws(H5Error) -> ElementType {
        guard depth < deepest else { throw H5Error(.other, subject, "its type nests more than \(deepest) deep") }
        let size = H5Tget_size(id)
        guard size > 0, size <= Int.max else { throw H5Error.fromStack(subject: subject) }
        let order: ByteOrder = H5Tget_order(id) == H5T_ORDER_BE ? .big : .little
        switch H5Tget_class(id) {
        case H5T_INTEGER:
            let signed = H5Tget_sign(id) == H5T_SGN_2
            let (precision, offset) = (Int(H5Tget_precision(id)), Int(H5Tget_offset(id)))
            return precision == size * 8 && offset == 0
                ? .integer(signed: signed, size: size, order: order)
                : .partialInteger(signed: signed, size: size, order: order, precision: precision, offset: offset)
        case H5T_FLOAT:
            var (sign, exponent, exponentSize, mantissa, mantissaSize) = (0, 0, 0, 0, 0)
            try readFields(id, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize, subject)
            return .float(
                FloatFormat(
                    size: size, order: order, signBit: sign, exponentPosition: exponent, exponentSize: exponentSize,
                    mantissaPosition: mantissa, mantissaSize: mantissaSize, bias: Int(clamping: H5Tget_ebias(id))))
        case H5T_STRING:
            let variable = try check(H5Tis_variable_str(id), subject) > 0
            let padding: StringFormat.Padding =
                switch H5Tget_strpad(id) {
                case H5T_STR_NULLPAD: .nullPadded
                case H5T_STR_SPACEPAD: .spacePadded
                default: .nullTerminated
                }
            return .string(
                StringFormat(
                    size: variable ? nil : size, padding: padding,
                    characters: H5Tget_cset(id) == H5T_CSET_UTF8 ? .utf8 : .ascii))
        case H5T_ENUM:
            let base = try Handle(H5Tget_super(id), .type, in: subject)
            return .enumeration(
                base: try describing(base.id, in: subject, depth: depth + 1),
                members: try enumerationMembers(id, base: base.id, in: subject))
        case H5T_COMPOUND:
            var fields: [Field] = []
            for index in 0..<UInt32(try check(H5Tget_nmembers(id), subject)) {
                let member = try Handle(H5Tget_member_type(id, index), .type, in: subject)
                fields.append(
                    Field(
                        name: try memberName(id, index, in: subject), offset: Int(H5Tget_member_offset(id, index)),
                        type: try describing(member.id, in: subject, depth: depth + 1)))
            }
            return .compound(size: size, fields: fields)
        case H5T_ARRAY:
            var extents = [hsize_t](repeating: 0, count: Int(H5S_MAX_RANK))
            let dimensions = Int(try check(unsafe H5Tget_array_dims2(id, &extents), subject))
            let element = try Handle(H5Tget_super(id), .type, in: subject)
            return .array(
                element: try describing(element.id, in: subject, depth: depth + 1),
                shape: extents[..<dimensions].map { Int(clamping: $0) })
        case H5T_VLEN:
            let element = try Handle(H5Tget_super(id), .type, in: subject)
            return .variableArray(element: try describing(element.id, in: subject, depth: depth + 1))
        case H5T_REFERENCE: return .reference(size: size)
        case H5T_OPAQUE:
            let tag = unsafe H5Tget_tag(id)
            defer { unsafe H5free_memory(tag) }
            return .opaque(size: size, tag: unsafe tag.map { unsafe String(cString: $0) } ?? "")
        case H5T_BITFIELD: return .bitfield(size: size)
        case H5T_TIME: return .time(size: size)
        default: throw H5Error(.other, subject, "has a type of unknown class")
        }
    }

    private static func readFields(
        _ id: hid_t, _ sign: inout Int, _ exponent: inout Int, _ exponentSize: inout Int, _ mantissa: inout Int,
        _ mantissaSize: inout Int, _ subject: String
    ) throws(H5Error) {
        try check(
            unsafe H5Tget_fields(id, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize), subject)
    }

    private static func memberName(_ id: hid_t, _ index: UInt32, in subject: String) throws(H5Error) -> String {
        guard let name = unsafe H5Tget_member_name(id, index) else { throw H5Error.fromStack(subject: subject) }
        defer { unsafe H5free_memory(name) }
        return unsafe String(cString: name)
    }

    private static func enumerationMembers(
        _ id: hid_t, base: hid_t, in subject: String
    ) throws(H5Error) -> [Member] {
        var members: [Member] = []
        for index in 0..<UInt32(try check(H5Tget_nmembers(id), subject)) {
            // The value arrives in the file's form; eight bytes hold both it and what it is converted to.
            guard H5Tget_size(base) <= 8 else { throw H5Error(.other, subject, "has enumerators of over 64 bits") }
            var value: Int64 = 0
            try check(unsafe H5Tget_member_value(id, index, &value), subject)
            let native = chdf5_native_integer(H5Tget_sign(base) == H5T_SGN_2 ? 1 : 0, 8)
            try check(unsafe H5Tconvert(base, native, 1, &value, nil, chdf5_default()), subject)
            members.append(Member(name: try memberName(id, index, in: subject), value: value))
        }
        return members
    }

    /// The type for libhdf5; call inside the lock. Only types that the project writes or reads into memory.
    func makeHandle(in subject: String) throws(H5Error) -> Handle {
        switch self {
        case .integer(let signed, let size, let order):
            let native = chdf5_native_integer(signed ? 1 : 0, size)
            guard native >= 0 else { throw H5Error(.mismatch, subject, "there is no integer of \(size) bytes") }
            let type = try Handle(H5Tcopy(native), .type, in: subject)
            try check(H5Tset_order(type.id, order.libraryValue), subject)
            return type
        case .float(let format):
            // The copied type only lends its class; wide enough to hold the fields while they move.
            let type = try Handle(H5Tcopy(chdf5_native_float(format.size > 4 ? 8 : 4)), .type, in: subject)
            try check(
                H5Tset_fields(
                    type.id, format.signBit, format.exponentPosition, format.exponentSize, format.mantissaPosition,
                    format.mantissaSize), subject)
            try check(H5Tset_precision(type.id, format.size * 8), subject)
            try check(H5Tset_size(type.id, format.size), subject)
            try check(H5Tset_ebias(type.id, format.bias), subject)
            try check(H5Tset_order(type.id, format.order.libraryValue), subject)
            return type
        case .string(let format):
            let type = try Handle(H5Tcopy(chdf5_c_string()), .type, in: subject)
            try check(H5Tset_size(type.id, format.size ?? chdf5_variable()), subject)
            try check(H5Tset_cset(type.id, format.characters == .utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII), subject)
            let padding =
                switch format.padding {
                case .nullTerminated: H5T_STR_NULLTERM
                case .nullPadded: H5T_STR_NULLPAD
                case .spacePadded: H5T_STR_SPACEPAD
                }
            try check(H5Tset_strpad(type.id, padding), subject)
            return type
        case .enumeration(let base, let members):
            let baseType = try base.makeHandle(in: subject)
            let type = try Handle(H5Tenum_create(baseType.id), .type, in: subject)
            for member in members {
                var value = member.value
                try check(
                    unsafe H5Tconvert(chdf5_native_integer(1, 8), baseType.id, 1, &value, nil, chdf5_default()),
                    subject)
                try check(unsafe H5Tenum_insert(type.id, member.name, &value), subject)
            }
            return type
        default:
            throw H5Error(.mismatch, subject, "cannot be written as \(self)")
        }
    }
}

extension ByteOrder {
    var libraryValue: H5T_order_t { self == .big ? H5T_ORDER_BE : H5T_ORDER_LE }
}
