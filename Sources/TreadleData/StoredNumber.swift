internal import CDecode
internal import HDF5
package import TreadleModel

/// How a number is stored, as the conversion kernels know it.
package struct StoredNumber: Equatable, Sendable {
    let kind: cd_kind
    /// Whether its bytes are in the order that this machine does not use.
    let isSwapped: Bool

    package var size: Int { cd_size(kind) }

    /// Nil for types that are no numbers, and for numbers in unusual bits: those libhdf5 converts.
    init?(_ type: ElementType) {
        switch type {
        case .integer(let signed, let size, let order):
            let kinds: [Int: (cd_kind, cd_kind)] = [
                1: (CD_I8, CD_U8), 2: (CD_I16, CD_U16), 4: (CD_I32, CD_U32), 8: (CD_I64, CD_U64),
            ]
            guard let pair = kinds[size] else { return nil }
            self.init(signed ? pair.0 : pair.1, order)
        case .float(let format):
            switch format {
            case .half(format.order): self.init(CD_F16, format.order)
            case .bfloat16(format.order): self.init(CD_BF16, format.order)
            case .single(format.order): self.init(CD_F32, format.order)
            case .double(format.order): self.init(CD_F64, format.order)
            default: return nil
            }
        case .enumeration(let base, _):
            self.init(base)
        default:
            return nil
        }
    }

    private init(_ kind: cd_kind, _ order: ByteOrder = .native) {
        self.kind = kind
        isSwapped = order != .native
    }

    package static let float = StoredNumber(CD_F32)
    package static let double = StoredNumber(CD_F64)
    static let int64 = StoredNumber(CD_I64)
    static let uint64 = StoredNumber(CD_U64)

    /// Whether a row is already what a network of these numbers reads.
    func isReady(for type: NumberType) -> Bool {
        !isSwapped && kind == (type == .float32 ? CD_F32 : CD_F64)
    }
}

/// What happens to each column on its way into a batch, in memory that kernels can point to.
@safe package final class ColumnTransform: @unchecked Sendable {
    private let memory: UnsafeMutablePointer<Double>
    let columns: cd_columns
    let isIdentity: Bool
    private let reading: InputReading?

    /// Empty arrays leave their part out; the others have an entry for each input.
    package convenience init(
        shift: [Double] = [], factor: [Double] = [], imputation: [Double] = [], clip: [Double] = []
    ) {
        self.init(shift: shift, factor: factor, imputation: imputation, clip: clip, reading: nil)
    }

    /// Of inputs that are made as `reading` says; nil: that are the stored numbers.
    init(
        shift: [Double] = [], factor: [Double] = [], imputation: [Double] = [], clip: [Double] = [],
        reading: InputReading?
    ) {
        precondition(shift.count == factor.count, "a column has both a shift and a factor, or neither")
        // What is made of codes is 0 or 1 and stays so: only stored numbers have an entry.
        func packed(_ values: [Double]) -> [Double] {
            guard let reading, !values.isEmpty else { return values }
            return reading.numberInputs.map { values[$0] }
        }
        let (shift, factor, imputation) = (packed(shift), packed(factor), packed(imputation))
        let values = shift + factor + imputation + packed(clip).map { $0 == 0 ? 0 : 1 / $0 }
        let memory = UnsafeMutablePointer<Double>.allocate(capacity: max(values.count, 1))
        for (index, value) in values.enumerated() { unsafe memory[index] = value }
        unsafe self.memory = unsafe memory
        unsafe columns = unsafe cd_columns(
            shift: shift.isEmpty ? nil : UnsafePointer(memory),
            factor: shift.isEmpty ? nil : UnsafePointer(memory + shift.count),
            imputation: imputation.isEmpty ? nil : UnsafePointer(memory + 2 * shift.count),
            inverse_clip: clip.isEmpty ? nil : UnsafePointer(memory + 2 * shift.count + imputation.count))
        isIdentity = values.isEmpty && reading == nil
        self.reading = reading
    }

    /// What becomes of inputs.
    package convenience init(inputs normalization: Normalization) {
        self.init(
            shift: normalization.shift, factor: normalization.factor, imputation: normalization.imputation,
            clip: normalization.clip)
    }

    static let identity = ColumnTransform()

    deinit {
        unsafe memory.deallocate()
    }

    /// Converts one row of `width` stored numbers; false when a result is not finite, or a code means nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func convert<S: Scalar>(
        _ source: UnsafeRawPointer, _ number: StoredNumber, width: Int, into result: UnsafeMutablePointer<S>
    ) -> Bool {
        let swapped: Int32 = number.isSwapped ? 1 : 0
        let target = UnsafeMutableRawPointer(result)
        if let reading { return unsafe expand(reading, source, number, into: target, as: S.number) }
        return unsafe withUnsafePointer(to: columns) { columns in
            switch S.number {
            case .float32:
                unsafe cd_convert_f32(
                    number.kind, swapped, source, width, columns, target.assumingMemoryBound(to: Float.self)) == 0
            case .float64:
                unsafe cd_convert_f64(
                    number.kind, swapped, source, width, columns, target.assumingMemoryBound(to: Double.self)) == 0
            }
        }
    }

    private func expand(
        _ reading: InputReading, _ source: UnsafeRawPointer, _ number: StoredNumber,
        into target: UnsafeMutableRawPointer, as type: NumberType
    ) -> Bool {
        let swapped: Int32 = number.isSwapped ? 1 : 0
        return unsafe withUnsafePointer(to: columns) { columns in
            unsafe withUnsafePointer(to: reading.reading) { reading in
                switch type {
                case .float32:
                    unsafe cd_expand_f32(
                        reading, number.kind, swapped, source, columns, target.assumingMemoryBound(to: Float.self)) == 0
                case .float64:
                    unsafe cd_expand_f64(
                        reading, number.kind, swapped, source, columns, target.assumingMemoryBound(to: Double.self))
                        == 0
                }
            }
        }
    }
}
