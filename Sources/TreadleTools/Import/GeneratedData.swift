internal import HDF5
package import TreadleBase
internal import TreadleData

/// Made-up data to try things with where there are no real ones: the same rows on every machine.
package enum GeneratedData: String, CaseIterable, Sendable {
    /// 28×28 bytes in ten classes: blurred blobs, moved, mixed and noisy.
    case images
    /// Ten numbers and a quantity that depends on five of them, not linearly.
    case regression
    /// Forty numbers and a quantity that is their weighted sum.
    case linear
    /// Twelve numbers about a customer, and whether the customer left: two classes, one rarer.
    case churn

    /// Writes `rows` to an HDF5 file; row `first` of the endless sequence comes first.
    package func write(
        to path: String, rows: Range<Int>, replacing: Bool, workers: Workers
    ) throws -> ImportSummary {
        let plans = plans(rows.count)
        let texts = columns.map { [(name: "columns", values: $0)] } ?? []
        let named = classes.map { texts + [(name: "classes", values: $0)] } ?? texts
        let output = try DatasetWriter(
            path, replacing: replacing, compress: false, plans, texts: named,
            attributes: [
                ("source", "generated: \(rawValue), rows \(rows.lowerBound) to \(rows.upperBound - 1)"),
                ("written_by", "treadle generate \(Treadle.version)"),
            ])
        let blocks = (rows.count + 1023) / 1024
        let pictures = self == .images ? GeneratedImages() : nil
        try workers.forEachTrying(blocks) { block, _ in
            let range = rows.lowerBound + block * 1024..<min(rows.upperBound, rows.lowerBound + (block + 1) * 1024)
            let place = range.lowerBound - rows.lowerBound..<range.upperBound - rows.lowerBound
            if let pictures {
                try pictures.write(range, at: place, to: output)
            } else {
                try GeneratedTable(kind: self).write(range, at: place, to: output)
            }
        }
        try output.finish()
        return ImportSummary(
            arrays: plans.map { .init(name: "/\($0.name)", shape: $0.shape, type: "\($0.type.stored)") },
            classes: classes, columns: columns, notes: [])
    }

    private func plans(_ rows: Int) -> [DatasetWriter.Plan] {
        switch self {
        case .images:
            [.init(name: "x", shape: [rows, 28, 28], type: .uint8), .init(name: "y", shape: [rows], type: .uint8)]
        case .regression, .linear:
            [
                .init(name: "x", shape: [rows, columnCount], type: .float32),
                .init(name: "y", shape: [rows], type: .float32),
            ]
        case .churn:
            [
                .init(name: "x", shape: [rows, columnCount], type: .float32),
                .init(name: "y", shape: [rows], type: .int32),
            ]
        }
    }

    var columnCount: Int {
        switch self {
        case .images: 784
        case .regression: 10
        case .linear: 40
        case .churn: 12
        }
    }

    private var columns: [String]? {
        self == .images ? nil : (1...columnCount).map { "x\($0)" }
    }

    private var classes: [String]? { self == .churn ? ["stays", "leaves"] : nil }
}

/// Uniform and bell-shaped numbers from a counter: arithmetic alone, so that every machine makes the same.
struct GeneratedNumbers {
    private let stream: Philox
    private var next: UInt64

    /// The numbers of one row; rows are `2^20` blocks of the counter apart.
    init(row: Int, stream: UInt32) {
        self.stream = Philox(seed: 0x7265_6164_6c65, purpose: .generation, stream: stream)
        next = UInt64(row) << 20
    }

    /// Four numbers from 0 to 1.
    mutating func four() -> SIMD4<Double> {
        let words = stream.words(at: next)
        next += 1
        return SIMD4<Double>(words) * 0x1p-32
    }

    mutating func uniform() -> Double { four()[0] }

    /// About normal: the sum of twelve uniform numbers, less six.
    mutating func bell() -> Double { (four() + four() + four()).sum() - 6 }
}

/// Rows of numbers whose target is a known function of them and some noise.
struct GeneratedTable {
    let kind: GeneratedData

    func write(_ rows: Range<Int>, at place: Range<Int>, to output: DatasetWriter) throws {
        let width = kind.columnCount
        var x = [Float](repeating: 0, count: rows.count * width)
        var y = [Double](repeating: 0, count: rows.count)
        for (index, row) in rows.enumerated() {
            var numbers = GeneratedNumbers(row: row, stream: kind == .regression ? 1 : kind == .linear ? 2 : 3)
            let values = (0..<width).map { _ in kind == .regression ? numbers.uniform() : numbers.bell() }
            for column in 0..<width { x[index * width + column] = Float(values[column]) }
            y[index] = target(values, &numbers)
        }
        try output.write(x, count: x.count, rows: place, of: 0)
        if kind == .churn {
            try output.write(y.map { Int32($0) }, count: y.count, rows: place, of: 1)
        } else {
            try output.write(y.map { Float($0) }, count: y.count, rows: place, of: 1)
        }
    }

    private func target(_ x: [Double], _ numbers: inout GeneratedNumbers) -> Double {
        switch kind {
        case .regression:
            // In the manner of Friedman (1991), with a parabola for the sine.
            let product = x[0] * x[1]
            let bow = (x[2] - 0.5) * (x[2] - 0.5)
            return 40 * product * (1 - product) + 20 * bow + 10 * x[3] + 5 * x[4] + numbers.bell()
        case .linear:
            return x.enumerated().reduce(3) { $0 + $1.element * Double($1.offset % 7 - 3) } + 0.5 * numbers.bell()
        case .images, .churn:
            let leaning = x[0] - 0.8 * x[1] + x[2] * x[3] + 0.5 * x[4] * x[4] - 1.5
            return leaning + 0.4 * numbers.bell() > 0 ? 1 : 0
        }
    }
}

/// Pictures of ten classes: each has its own arrangement of blobs.
struct GeneratedImages {
    private static let side = 28
    /// One picture a class, with a margin of four on each side to be moved in.
    private static let wide = side + 8
    private let prototypes: [[Double]]

    init() {
        prototypes = (0..<10).map { number in
            var numbers = GeneratedNumbers(row: number, stream: 4)
            var picture = [Double](repeating: 0, count: GeneratedImages.wide * GeneratedImages.wide)
            for _ in 0..<5 {
                let blob = numbers.four()
                let (row, column, size) = (9 + 18 * blob[0], 9 + 18 * blob[1], 2 + 4 * blob[2])
                for r in 0..<GeneratedImages.wide {
                    for c in 0..<GeneratedImages.wide {
                        let distance =
                            (Double(r) - row) * (Double(r) - row) + (Double(c) - column) * (Double(c) - column)
                        let falloff = 1 + distance / (size * size)
                        picture[r * GeneratedImages.wide + c] += (0.6 + 0.4 * blob[3]) / (falloff * falloff)
                    }
                }
            }
            return picture
        }
    }

    func write(_ rows: Range<Int>, at place: Range<Int>, to output: DatasetWriter) throws {
        let size = GeneratedImages.side * GeneratedImages.side
        var x = [UInt8](repeating: 0, count: rows.count * size)
        var y = [UInt8](repeating: 0, count: rows.count)
        for (index, row) in rows.enumerated() {
            var numbers = GeneratedNumbers(row: row, stream: 5)
            let choice = numbers.four()
            let moved = numbers.four()
            let number = Int(choice[0] * 10)
            let other = Int(choice[1] * 10)
            let (up, left) = (Int(moved[0] * 7) + 1, Int(moved[1] * 7) + 1)
            let (strength, ghost) = (140 + 90 * moved[2], 110 * choice[2] * moved[3])
            var noise = SIMD4<Double>()
            for pixel in 0..<size {
                if pixel % 4 == 0 { noise = numbers.four() }
                let from =
                    (pixel / GeneratedImages.side + up) * GeneratedImages.wide + pixel % GeneratedImages.side + left
                let value = strength * prototypes[number][from] + ghost * prototypes[other][from]
                x[index * size + pixel] = UInt8(max(0, min(255, value + 60 * (noise[pixel % 4] - 0.5))))
            }
            y[index] = UInt8(number)
        }
        try output.write(x, count: x.count, rows: place, of: 0)
        try output.write(y, count: y.count, rows: place, of: 1)
    }
}
