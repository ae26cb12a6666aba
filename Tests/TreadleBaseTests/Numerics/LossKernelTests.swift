import CKernels
import Testing
import TestSupport

/// The losses as the step calls them, in Float64 against closed forms and finite differences.
@Suite(.serialized) struct LossKernelTests {
    /// A loss over rows of outputs with its targets, all made of integers by formula.
    struct Case: CustomTestStringConvertible, Sendable {
        var type: ck_loss_type
        var byClass: Bool
        var outputs: Int
        var smoothing = 0.0
        var weighted = false

        var testDescription: String { "\(type) outputs \(outputs) classes \(byClass) smoothing \(smoothing)" }
        var rows: Int { 5 }
        var y: [Double] { (0..<rows * outputs).map { (i: Int) -> Double in Double(i * 7919 % 101) / 25 - 2.003 } }
        var classes: [Int32] { (0..<rows).map { Int32(($0 * 5 + 1) % outputs) } }
        var values: [Double] {
            let raw = (0..<rows * outputs).map { Double(($0 * 104_729) % 89) / 88 }
            switch type {
            case CK_CROSS_ENTROPY:
                return raw.indices.map { i in
                    let row = i / outputs * outputs
                    return raw[i] / raw[row..<row + outputs].reduce(0, +)
                }
            case CK_BCE, CK_HINGE: return raw.map { $0.rounded() }
            case CK_POISSON: return raw.map { ($0 * 4).rounded() }
            default: return raw.map { $0 * 3 - 1.5 }
            }
        }
        var rowWeights: [Double] { (0..<rows).map { 0.5 + Double($0) } }
        var classWeights: [Double] { (0..<outputs).map { 1 + Double($0) / 3 } }

        /// The losses of `outputs` and their errors, or predictions by `link`, through one call, with rows `padding` numbers
        /// longer than they must be.
        func run(
            _ outputs: [Double], padding: Int = 0, predicting link: ck_link? = nil, knowsTargets: Bool = true
        ) -> (losses: [Double], weights: [Double], errors: [Double], padding: [Double]) {
            let stride = self.outputs + padding
            // Numbers in the padding that would be seen if they were added to anything.
            var errors = [Double](repeating: 1e9, count: rows * stride)
            for (i, output) in outputs.enumerated() {
                errors[i / self.outputs * stride + i % self.outputs] = output
            }
            var losses = [Double](repeating: 0, count: rows)
            var weights = losses
            classWeights.withUnsafeBufferPointer { ofClass in
                rowWeights.withUnsafeBufferPointer { ofRow in
                    classes.withUnsafeBufferPointer { classes in
                        values.withUnsafeBufferPointer { values in
                            var loss = ck_loss()
                            loss.type = type
                            loss.outputs = self.outputs
                            loss.smoothing = smoothing
                            loss.delta = 0.7
                            loss.quantile = 0.3
                            loss.link = link ?? CK_LINK_IDENTITY
                            let scalesClasses = weighted && type == CK_CROSS_ENTROPY
                            loss.class_weights = scalesClasses ? UnsafeRawPointer(ofClass.baseAddress) : nil
                            var targets = ck_targets()
                            if knowsTargets {
                                targets.classes = byClass ? classes.baseAddress : nil
                                targets.values = byClass ? nil : UnsafeRawPointer(values.baseAddress)
                            }
                            targets.weights = weighted ? UnsafeRawPointer(ofRow.baseAddress) : nil
                            ck_loss_rows_f64(
                                &loss, link == nil ? CK_OUTPUT_ERROR : CK_PREDICTION, &targets, 0, rows, &errors,
                                stride,
                                &losses, &weights)
                        }
                    }
                }
            }
            let numbers = (0..<rows).flatMap { errors[$0 * stride..<$0 * stride + self.outputs] }
            let rest = (0..<rows).flatMap { errors[$0 * stride + self.outputs..<($0 + 1) * stride] }
            return (losses, weights, numbers, rest)
        }
    }

    static let cases: [Case] = [1, 2, 3, 15, 16, 17, 33].flatMap { outputs in
        var cases: [Case] = []
        for weighted in [false, true] {
            if outputs > 1 {
                for smoothing in [0, 0.1] {
                    for byClass in [true, false] {
                        cases.append(
                            Case(
                                type: CK_CROSS_ENTROPY, byClass: byClass, outputs: outputs, smoothing: smoothing,
                                weighted: weighted))
                    }
                }
                cases.append(Case(type: CK_HINGE, byClass: true, outputs: outputs, weighted: weighted))
            }
            cases.append(Case(type: CK_BCE, byClass: false, outputs: outputs, smoothing: 0.2, weighted: weighted))
            for type in [CK_BCE, CK_HINGE, CK_MSE, CK_MAE, CK_HUBER, CK_POISSON, CK_QUANTILE] {
                cases.append(Case(type: type, byClass: false, outputs: outputs, weighted: weighted))
            }
        }
        return cases
    }

    @Test(arguments: cases)
    func `an error is the derivative of the weighted loss`(_ loss: Case) {
        let y = loss.y
        let errors = loss.run(y).errors
        let step = 1e-6
        for i in y.indices {
            var (above, below) = (y, y)
            above[i] += step
            below[i] -= step
            let row = i / loss.outputs
            let expected = (loss.run(above).losses[row] - loss.run(below).losses[row]) / (2 * step)
            #expect(abs(errors[i] - expected) <= 3e-8 * max(1, abs(expected)), "output \(i)")
        }
    }

    @Test(arguments: cases)
    func `losses have the same bits on every instruction set`(_ loss: Case) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(CK_ISA_SCALAR)
        let expected = loss.run(loss.y)
        for isa in [CK_ISA_AVX2, CK_ISA_AVX512] {
            ck_use_isa(isa)
            let result = loss.run(loss.y)
            #expect(result.losses == expected.losses && result.errors == expected.errors)
        }
    }

    /// With targets some losses and links share their exponentials, and some rows go a lane each.
    @Test(arguments: cases, [CK_LINK_IDENTITY, CK_LINK_SOFTMAX])
    func `what is predicted beside a loss is what is predicted alone, and the loss is that beside errors`(
        _ loss: Case, link: ck_link
    ) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        for isa in [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512] {
            ck_use_isa(isa)
            for padding in [0, 16] {
                let both = loss.run(loss.y, padding: padding, predicting: link)
                #expect(both.errors == loss.run(loss.y, predicting: link, knowsTargets: false).errors)
                #expect(both.losses == loss.run(loss.y).losses)
                #expect(both.padding.allSatisfy { $0 == 1e9 })
            }
        }
    }

    @Test(arguments: cases)
    func `padding behind a row changes nothing and is left alone`(_ loss: Case) {
        let expected = loss.run(loss.y)
        for padding in [1, 15, 32] {
            let result = loss.run(loss.y, padding: padding)
            #expect(result.losses == expected.losses && result.errors == expected.errors)
            #expect(result.padding.allSatisfy { $0 == 1e9 })
        }
    }

    @Test func `a weight scales the loss and the error of its row, and is reported`() {
        let plain = Case(type: CK_CROSS_ENTROPY, byClass: true, outputs: 3)
        var weighted = plain
        weighted.weighted = true
        let (a, b) = (plain.run(plain.y), weighted.run(plain.y))
        for row in 0..<plain.rows {
            let weight = plain.rowWeights[row] * plain.classWeights[Int(plain.classes[row])]
            #expect(a.weights[row] == 1)
            #expect(b.weights[row] == weight)
            #expect(b.losses[row] == a.losses[row] * weight)
        }
    }

    @Test func `single rows come out as their formulas say`() {
        func one(_ type: ck_loss_type, _ y: [Double], value t: [Double]? = nil, class c: Int32 = 0) -> Double {
            var loss = ck_loss()
            (loss.type, loss.outputs, loss.delta, loss.quantile) = (type, y.count, 0.7, 0.3)
            var (row, losses, weights) = (y, [0.0], [0.0])
            let classes = [c]
            (t ?? []).withUnsafeBufferPointer { values in
                classes.withUnsafeBufferPointer { classes in
                    var targets = ck_targets()
                    targets.classes = t == nil ? classes.baseAddress : nil
                    targets.values = t == nil ? nil : UnsafeRawPointer(values.baseAddress)
                    ck_loss_rows_f64(&loss, CK_OUTPUT_ERROR, &targets, 0, 1, &row, y.count, &losses, &weights)
                }
            }
            return losses[0]
        }
        #expect(abs(one(CK_CROSS_ENTROPY, [0, 0, 0, 0], class: 2) - 1.3862943611198906) < 1e-15)
        #expect(one(CK_HINGE, [0.5, 2, 1], class: 2) == 2)
        #expect(one(CK_HINGE, [0.5, 2, 4], class: 2) == 0)
        #expect(one(CK_HINGE, [0.25, -3], value: [0, 0]) == 0.625)
        #expect(one(CK_MSE, [1, 4], value: [3, 1]) == 6.5)
        #expect(one(CK_MAE, [1, 4], value: [3, 1]) == 2.5)
        #expect(abs(one(CK_HUBER, [2], value: [0]) - 0.7 * (2 - 0.35)) < 1e-15)
        #expect(abs(one(CK_QUANTILE, [1], value: [3]) - 0.6) < 1e-15)
        #expect(abs(one(CK_QUANTILE, [3], value: [1]) - 1.4) < 1e-15)
        #expect(one(CK_POISSON, [0], value: [3]) == 1)
        // Far on the right side nothing cancels: −log(sigmoid(20)) = log(1 + e⁻²⁰).
        #expect(abs(one(CK_BCE, [20], value: [1]) - 2.0611536203143807e-9) < 1e-23)
        #expect(abs(one(CK_BCE, [-20], value: [0]) - 2.0611536203143807e-9) < 1e-23)
    }

    @Test func `what is not finite in an output is not finite in the loss`() {
        for type in [CK_CROSS_ENTROPY, CK_BCE, CK_HINGE, CK_MSE, CK_MAE, CK_HUBER, CK_POISSON, CK_QUANTILE] {
            var loss = Case(type: type, byClass: false, outputs: 3)
            loss.smoothing = 0
            var y = loss.y
            y[4] = .nan
            #expect(!loss.run(y).losses[1].isFinite, "\(type)")
            #expect(loss.run(y).losses[0].isFinite, "\(type)")
        }
    }

    @Test func `predictions follow the loss's link`() {
        func predict(_ link: ck_link, _ y: [Double]) -> [Double] {
            var loss = ck_loss()
            (loss.type, loss.outputs, loss.link) = (CK_MSE, y.count, link)
            var (row, losses, weights, targets) = (y, [0.0], [0.0], ck_targets())
            ck_loss_rows_f64(&loss, CK_PREDICTION, &targets, 0, 1, &row, y.count, &losses, &weights)
            return row
        }
        #expect(predict(CK_LINK_IDENTITY, [1, -2]) == [1, -2])
        #expect(predict(CK_LINK_SOFTMAX, [1000, 1000]) == [0.5, 0.5])
        #expect(predict(CK_LINK_SIGMOID, [0, -800]) == [0.5, 0])
        #expect(predict(CK_LINK_EXP, [0]) == [1])
    }
}

extension ck_loss_type: @retroactive CustomStringConvertible {
    public var description: String {
        ["cross_entropy", "bce", "hinge", "mse", "mae", "huber", "poisson", "quantile"][Int(rawValue)]
    }
}
