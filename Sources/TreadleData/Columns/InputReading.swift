internal import CDecode

/// How the rows of one file are read as the inputs of a network, in memory that kernels can point to.
///
/// Rows that are the inputs as they are need none.
@safe final class InputReading: @unchecked Sendable {
    /// An input that is a stored number.
    struct Number: Equatable {
        var from: Int
        var to: Int
        /// Added to it: between two ways of counting days.
        var offset: Double = 0
    }

    /// An input that says whether a stored number is missing.
    struct Indicator: Equatable {
        var from: Int
        var to: Int
    }

    /// Inputs of which a stored code makes one 1.
    struct Category: Equatable {
        var name: String
        var from: Int
        /// Added to the code: 2 for flags, whose numbers are no codes.
        var base: Int = 0
        /// For each code, the input that it makes 1; nil where it makes none.
        var inputs: [Int?]
    }

    /// F: how many inputs there are.
    let inputs: Int
    /// The places of the inputs that are stored numbers, ascending.
    let numberInputs: [Int]
    private let categories: [Category]
    let reading: cd_reading
    private let memory: UnsafeMutablePointer<UInt32>
    private let offsets: UnsafeMutablePointer<Double>?

    init(inputs: Int, numbers: [Number], indicators: [Indicator] = [], categories: [Category] = []) {
        let numbers = numbers.sorted { $0.to < $1.to }
        self.inputs = inputs
        numberInputs = numbers.map(\.to)
        self.categories = categories
        let isEachInput = numberInputs == Array(0..<inputs)
        var firsts: [Int] = []
        var codes: [Int?] = []
        for category in categories {
            firsts.append(codes.count)
            codes += category.inputs
        }
        let lists: [[Int]] = [
            numbers.map(\.from), numberInputs, indicators.map(\.from), indicators.map(\.to), categories.map(\.from),
            categories.map(\.base), categories.map(\.inputs.count), firsts,
            codes.map { $0 ?? Int(CD_NO_INPUT) },
        ]
        let memory = UnsafeMutablePointer<UInt32>.allocate(capacity: max(1, lists.reduce(0) { $0 + $1.count }))
        var starts: [Int] = []
        var end = 0
        for list in lists {
            starts.append(end)
            for value in list {
                unsafe memory[end] = UInt32(value)
                end += 1
            }
        }
        var offsets: UnsafeMutablePointer<Double>?
        if numbers.contains(where: { $0.offset != 0 }) {
            let values = UnsafeMutablePointer<Double>.allocate(capacity: numbers.count)
            for (place, number) in numbers.enumerated() { unsafe values[place] = number.offset }
            unsafe offsets = unsafe values
        }
        unsafe self.memory = unsafe memory
        unsafe self.offsets = unsafe offsets
        unsafe reading = unsafe cd_reading(
            inputs: inputs, numbers: numbers.count, number_from: memory + starts[0],
            number_to: isEachInput ? nil : UnsafePointer(memory + starts[1]),
            offset: offsets.map { unsafe UnsafePointer($0) }, indicators: indicators.count,
            indicator_from: memory + starts[2], indicator_to: memory + starts[3], categories: categories.count,
            code_from: memory + starts[4], code_base: memory + starts[5], code_count: memory + starts[6],
            code_first: memory + starts[7], code_inputs: memory + starts[8])
    }

    deinit {
        unsafe memory.deallocate()
        unsafe offsets?.deallocate()
    }

    /// The column that holds something that is no code of its category, and what that is; nil where all are.
    func unknownCode(in row: [Double]) -> (column: String, value: Double)? {
        for category in categories {
            let stored = row[category.from]
            guard stored.isFinite else { continue }
            let code = stored + Double(category.base)
            guard code >= 0, code < Double(category.inputs.count), code == code.rounded() else {
                return (category.name, stored)
            }
        }
        return nil
    }
}
