internal import TreadleModel
internal import TreadleRun

/// The first layer's weights as pictures, where inputs are an image: what each unit looks for.
struct WeightImages {
    /// More would make the page heavy.
    static let most = 128
    /// Larger pictures are made smaller by averaging.
    private static let side = 64

    let images: [PaletteImage]
    let units: Int

    /// Nil where inputs are no image.
    init?(_ model: SavedModel) {
        guard let shape = model.imageShape, let geometry = Geometry(shape),
            model.network.embedded.isEmpty,
            let weight = model.parameters.dropFirst(model.network.stem.count).first?.weight
        else { return nil }
        units = weight.shape[1]
        let values = Double.values(of: weight)
        let units = units
        images = (0..<min(units, Self.most)).map { unit in
            geometry.image(side: Self.side) { values[$0 * units + unit] }
        }
    }

    /// Where the numbers of an image are among the inputs; channels come first or last.
    private struct Geometry {
        private let height: Int
        private let width: Int
        private let channels: Int
        private let isChannelFirst: Bool

        init?(_ shape: [Int]) {
            switch shape.count {
            case 2: (height, width, channels, isChannelFirst) = (shape[0], shape[1], 1, false)
            case 3 where shape[2] <= 4:
                (height, width, channels, isChannelFirst) = (shape[0], shape[1], shape[2], false)
            case 3 where shape[0] <= 4: (height, width, channels, isChannelFirst) = (shape[1], shape[2], shape[0], true)
            default: return nil
            }
        }

        /// The mean over channels and over boxes of places, scaled so that the largest is 1.
        func image(side: Int, _ value: (Int) -> Double) -> PaletteImage {
            let (rows, columns) = (min(height, side), min(width, side))
            var means = [Double](repeating: 0, count: rows * columns)
            var counts = means
            for y in 0..<height {
                for x in 0..<width {
                    let place = y * rows / height * columns + x * columns / width
                    for channel in 0..<channels {
                        let plane =
                            isChannelFirst ? (channel * height + y) * width + x : (y * width + x) * channels + channel
                        means[place] += value(plane)
                        counts[place] += 1
                    }
                }
            }
            for place in means.indices { means[place] /= counts[place] }
            let largest = means.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
            return PaletteImage(
                width: columns, height: rows, values: largest > 0 ? means.map { $0 / largest } : means)
        }
    }
}
