/// A loss with all its parameters, as the step computes it.
package struct LossFunction: Equatable, Sendable {
    package var type: LossType
    /// D of the output layer.
    package var outputs: Int
    /// One weight a class for cross_entropy; nil where each counts 1.
    package var classWeights: [Double]?
    package var labelSmoothing: Double
    package var delta: Double
    package var quantile: Double

    package init(
        type: LossType, outputs: Int, classWeights: [Double]? = nil, labelSmoothing: Double = 0, delta: Double = 1,
        quantile: Double = 0.5
    ) {
        self.type = type
        self.outputs = outputs
        self.classWeights = classWeights
        self.labelSmoothing = labelSmoothing
        self.delta = delta
        self.quantile = quantile
    }
}
