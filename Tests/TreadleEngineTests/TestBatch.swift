import CKernels
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

/// A batch with memory of its own; each row ends at the end of an allocation, where a checker sees a read beyond it.
final class TestBatch<S: Scalar> {
    let x: [[S]]
    let batch: Batch<S>
    private let rows: UnsafeMutablePointer<UnsafePointer<S>>
    private let values: UnsafeMutablePointer<S>
    private let classes: UnsafeMutablePointer<Int32>
    private let weights: UnsafeMutablePointer<S>?
    private let storage: [UnsafeMutablePointer<S>]

    /// Values of targets where `classCount` is nil, class numbers otherwise.
    init(rows count: Int, inputs: Int, outputs: Int, classes: Bool = false, weighted: Bool = false, seed: UInt64) {
        var numbers = SmallNumbers<S>(seed: seed)
        x = (0..<count).map { _ in numbers.take(inputs) }
        storage = x.map { row in
            let memory = UnsafeMutablePointer<S>.allocate(capacity: row.count)
            memory.initialize(from: row, count: row.count)
            return memory
        }
        rows = .allocate(capacity: count)
        for (index, row) in storage.enumerated() { (rows + index).initialize(to: UnsafePointer(row)) }
        let targets = numbers.take(count * outputs)
        values = .allocate(capacity: targets.count)
        values.initialize(from: targets, count: targets.count)
        self.classes = .allocate(capacity: count)
        for row in 0..<count { (self.classes + row).initialize(to: Int32((row * 7 + Int(seed)) % outputs)) }
        if weighted {
            weights = .allocate(capacity: count)
            weights?.initialize(from: numbers.take(count).map { abs($0) + 0.25 }, count: count)
        } else {
            weights = nil
        }
        batch = Batch(
            rows: count, x: rows,
            targets: classes ? .classes(self.classes) : .values(values), weights: weights.map { UnsafePointer($0) })
    }

    /// What one of several ranks has of the batch.
    func rankPart(_ range: Range<Int>, outputs: Int) -> Batch<S> {
        var part = part(range, outputs: outputs)
        part.firstRow = range.lowerBound
        part.wholeRows = batch.rows
        return part
    }

    /// A batch of some of the rows, in the same memory.
    func part(_ range: Range<Int>, outputs: Int) -> Batch<S> {
        let targets: Targets<S> =
            switch batch.targets {
            case .classes(let classes): .classes(classes + range.lowerBound)
            case .values(let values): .values(values + range.lowerBound * outputs)
            case .absent: .absent
            }
        return Batch(
            rows: range.count, x: UnsafePointer(rows + range.lowerBound), targets: targets,
            weights: weights.map { UnsafePointer($0 + range.lowerBound) })
    }

    var ckTargets: ck_targets {
        switch batch.targets {
        case .classes(let classes): ck_targets(classes: classes, values: nil, weights: weights)
        case .values(let values): ck_targets(classes: nil, values: values, weights: weights)
        case .absent: ck_targets(classes: nil, values: nil, weights: weights)
        }
    }

    deinit {
        storage.forEach { $0.deallocate() }
        rows.deallocate()
        values.deallocate()
        classes.deallocate()
        weights?.deallocate()
    }
}

/// Seeded numbers between −1 and 1 with all bits of the significand in use.
struct SmallNumbers<S: Scalar> {
    private let stream: Philox
    private var index: UInt64 = 0

    init(seed: UInt64) { stream = Philox(seed: seed, purpose: .generation) }

    mutating func take(_ count: Int) -> [S] {
        (0..<count).map { _ in
            index += 1
            let words = stream.words(at: index)
            let bits = UInt64(words[0]) << 32 | UInt64(words[1])
            return S(Double(Int64(bitPattern: bits)) * 0x1p-63)
        }
    }
}

extension Network {
    /// Seeded weights of a size that keeps activations near one.
    func parameters<S: Scalar>(_ type: S.Type, seed: UInt64) -> [LayerParameters] {
        var numbers = SmallNumbers<S>(seed: seed)
        return layers.map { layer in
            let scale = S(1.5 / Double(layer.inputs).squareRoot())
            return LayerParameters(
                name: layer.name,
                weight: S.tensor(
                    numbers.take(layer.inputs * layer.units).map { $0 * scale }, shape: [layer.inputs, layer.units]),
                bias: layer.hasBias ? S.tensor(numbers.take(layer.units).map { $0 * scale }, shape: [layer.units]) : nil
            )
        }
    }
}
