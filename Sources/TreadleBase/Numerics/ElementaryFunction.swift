internal import CKernels

/// The project's own elementary functions in Float64: the same bits on every machine, which libm does not promise.
package enum ElementaryFunction: Sendable {
    case exp, expm1, log, log1p, tanh, sigmoid, erf, softplus

    package func callAsFunction(_ x: Double) -> Double {
        var numbers = [x]
        apply(to: &numbers)
        return numbers[0]
    }

    package func apply(to numbers: inout [Double]) {
        unsafe numbers.withUnsafeMutableBufferPointer { numbers in
            unsafe ck_map_f64(kernel, numbers.count, numbers.baseAddress, numbers.baseAddress)
        }
    }

    private var kernel: ck_function {
        switch self {
        case .exp: CK_FUNCTION_EXP
        case .expm1: CK_FUNCTION_EXPM1
        case .log: CK_FUNCTION_LOG
        case .log1p: CK_FUNCTION_LOG1P
        case .tanh: CK_FUNCTION_TANH
        case .sigmoid: CK_FUNCTION_SIGMOID
        case .erf: CK_FUNCTION_ERF
        case .softplus: CK_FUNCTION_SOFTPLUS
        }
    }
}

/// Places on a circle by the part of a turn that leads there: the same bits on every machine, which libm does not promise.
package enum Circle {
    /// sin(2π·part), for a part of 0 up to 1.
    package static func sine(_ part: Double) -> Double { cosine(part < 0.25 ? part + 0.75 : part - 0.25) }

    /// cos(2π·part), for a part of 0 up to 1.
    package static func cosine(_ part: Double) -> Double {
        precondition(part >= 0 && part < 1, "a part of one turn")
        return ck_cospi(part < 0.5 ? 2 * part : 2 * part - 2)
    }
}
