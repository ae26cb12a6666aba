import Testing
@testable import TreadleModel

@Suite struct TensorTests {
    @Test func `numbers of either type are read as the one that is asked for`() {
        let values = [1, -0.1, 1e-40, 3.5]
        let double = Double.tensor(values, shape: [2, 2])
        let single = Float.tensor(values.map { Float($0) }, shape: [4])
        #expect(double.count == 4 && single.count == 4)
        #expect(Double.values(of: double) == values && Float.values(of: double) == values.map { Float($0) })
        // A Float32 is the same number in Float64, and so itself again.
        #expect(Double.values(of: single) == values.map { Double(Float($0)) })
        #expect(Float.values(of: Double.tensor(Double.values(of: single), shape: [4])) == Float.values(of: single))
        #expect(Float.number.size == MemoryLayout<Float>.size && Double.number.size == MemoryLayout<Double>.size)
    }

    @Test func `an empty shape is one number, and an extent of zero none`() {
        #expect(Float.tensor([7], shape: []).count == 1)
        #expect(Float.tensor([], shape: [3, 0]).count == 0)
    }
}
