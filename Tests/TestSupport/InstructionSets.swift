public import CKernels

extension ck_isa: @retroactive CustomStringConvertible, @unchecked @retroactive Sendable {
    public var description: String { String(cString: ck_isa_name(self)) }
}

extension ck_isa {
    /// The instruction sets that this CPU has, the plainest first.
    package static let ofThisCPU: [ck_isa] = {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        return (0...ck_widest_isa().rawValue).map { ck_isa(rawValue: $0) }.filter {
            ck_use_isa($0)
            return ck_current_isa() == $0
        }
    }()

    /// Those that runs use: where products of bfloat16 are not those of the contract, no run uses them.
    package static let present: [ck_isa] = ofThisCPU.filter(\.agrees)

    /// Whether what multiplies bfloat16 with it gives the bits of multiply-adds.
    package var agrees: Bool {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(self)
        return ck_unit_agrees() != 0
    }
}
