internal import CKernels

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
