import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun
@testable import TreadleTools
import RunTestSupport

@Suite struct TensorSliceTests {
    private func slice(_ text: String, of shape: [Int]) throws -> (start: [Int], count: [Int], shape: [Int]) {
        let (_, slice) = try TensorSlice.split(text)
        let (box, kept) = try slice.box(in: shape, of: "w")
        return (box.start, box.count, kept)
    }

    @Test func `slices are those of Python`() throws {
        #expect(try slice("w", of: [4, 5]) == ([0, 0], [4, 5], [4, 5]))
        #expect(try slice("w[0:3,:5]", of: [4, 5]) == ([0, 0], [3, 5], [3, 5]))
        #expect(try slice("w[1]", of: [4, 5]) == ([1, 0], [1, 5], [5]))
        #expect(try slice("w[-1, -2:]", of: [4, 5]) == ([3, 3], [1, 2], [2]))
        #expect(try slice("w[:-3]", of: [4, 5]) == ([0, 0], [1, 5], [1, 5]))
        #expect(try slice("w[2:99]", of: [4, 5]) == ([2, 0], [2, 5], [2, 5]))
        #expect(try slice("w[-99:1]", of: [4]) == ([0], [1], [1]))
        #expect(try slice("w[3:1]", of: [4]) == ([3], [0], [0]))
        #expect(try slice("w[\(Int.min):\(Int.max)]", of: [4]) == ([0], [4], [4]))
        #expect(try slice("w", of: []) == ([], [], []))
    }

    @Test(arguments: ["w[4]", "w[-5]", "w[1,2,3]", "w[]", "w[a]", "w[1:2:3]", "w[1.5]", "w[99999999999999999999]"])
    func `what is no slice of the array is refused`(text: String) {
        let error = #expect(throws: TreadleError.self) { try slice(text, of: [4, 5]) }
        #expect(error?.kind == .usage)
    }

    @Test func `a part of a checkpoint's array is found by any of its names`() throws {
        let checkpoint = sampleCheckpoint()
        let all = Double.values(of: checkpoint.parameters[1].weight)
        for name in ["dense_1/weight", "/model/dense_1/weight"] {
            let part = try SlicedArray(name, try TensorSlice(parsing: "1:3,-1"), of: checkpoint)
            #expect(part.shape == [2] && part.numbers == [all[5], all[8]] && part.type == "float32")
        }
        let shift = try SlicedArray("normalization/shift", .everything, of: checkpoint)
        #expect(shift.numbers == checkpoint.normalization.shift)
        let error = #expect(throws: TreadleError.self) {
            try SlicedArray("dense_1/wieght", .everything, of: checkpoint)
        }
        #expect(error?.messages[0].contains("did you mean dense_1/weight?") == true)
    }
}
