internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// A checkpoint as the bytes of its file, built in memory; large arrays stay where they are.
///
/// Equal checkpoints give equal bytes; the fields that hold times are `created`, `progress.seconds` and the
/// `seconds` of the history.
struct EncodedCheckpoint: Sendable {
    private let image: H5Image
    /// What the image has room for and does not hold, in the order of the file.
    private let arrays: [PlacedArray]
    private let programVersion: String
    /// The number of the layout of groups, arrays and attributes; the user block has a number of its own.
    private static let formatOfContents = 1

    /// The file's length in bytes.
    var count: Int { UserBlock.size + image.count }

    /// Numbers that are not finite throw `.diverged`: such a checkpoint is never written.
    init(_ checkpoint: Checkpoint) throws {
        if let place = try checkpoint.firstNonFinite {
            throw TreadleError(
                .diverged, "\(place) is not finite; lower optimizer.lr, or set optimizer.clip_norm")
        }
        do {
            var arrays: [PlacedArray] = []
            image = try H5File.image { file in
                try EncodedCheckpoint.writeModel(of: checkpoint, to: file, &arrays)
                try EncodedCheckpoint.writeState(of: checkpoint, to: file.createGroup("treadle"), &arrays)
            }
            self.arrays = arrays.sorted { $0.offset < $1.offset }
        } catch let error as H5Error {
            throw TreadleError(.bug, "the checkpoint could not be built in memory: \(error)")
        }
        programVersion = checkpoint.programVersion
    }

    /// Puts the file at `path`, durably, all at once or not at all.
    func write(to path: String, calls: SystemCalls) throws {
        var file = try DurableFile(replacing: path, calls: calls)
        let digest = try writeImage(to: file)
        // The header vouches for all that follows, so it is known last.
        let header = UserBlock(
            imageLength: image.count, imageDigest: digest.digest, waypoints: digest.waypoints,
            programVersion: programVersion)
        try file.write(unsafe header.bytes.span.bytes, at: 0)
        try file.commit()
    }

    /// Writes all but the header and returns its digest, which is computed while the disk is at work.
    private func writeImage(to file: borrowing DurableFile) throws -> ImageDigest {
        let (_, digest) = try Workers.together {
            try forEachPiece { offset, bytes in try file.write(bytes, at: UserBlock.size + offset) }
        } and: {
            var digest = ImageDigest(length: image.count)
            forEachPiece { _, bytes in digest.add(bytes) }
            return digest
        }
        return digest
    }

    /// All bytes behind the header, in order.
    private func forEachPiece<Failure: Error>(
        _ body: (_ offset: Int, _ bytes: RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try unsafe image.withUnsafeBytes { (image) throws(Failure) in
            let whole = unsafe image.bytes
            var start = 0
            for array in arrays {
                try body(start, whole.extracting(start..<array.offset))
                try array.tensor.withBytes { (bytes) throws(Failure) in try body(array.offset, bytes) }
                start = array.offset + array.tensor.byteCount
            }
            try body(start, whole.extracting(start..<whole.byteCount))
        }
    }

    // MARK: What the file holds, in its order

    /// `/layers`, as Keras finds its weights, and `/model`, the same arrays under plain names.
    private static func writeModel(
        of checkpoint: Checkpoint, to file: H5File, _ arrays: inout [PlacedArray]
    ) throws {
        for (index, (layer, parameters)) in zip(checkpoint.network.layers, checkpoint.parameters).enumerated() {
            let variables = try file.createGroup("layers/\(layer.name)/vars")
            try variables.setAttribute("name", layer.name)
            let plain = try file.createGroup("model/\(layer.name)")
            try plain.setAttribute("index", index)
            try plain.setAttribute("activation", layer.activation.rawValue)
            try plain.setAttribute("dropout", layer.dropout)
            if layer.kind != .dense { try plain.setAttribute("kind", layer.kind.rawValue) }

            let weight = try variables.write(parameters.weight, to: "0", &arrays)
            try plain.link("weight", to: weight)
            if let bias = parameters.bias { try plain.link("bias", to: variables.write(bias, to: "1", &arrays)) }
        }
    }

    private static func writeState(
        of checkpoint: Checkpoint, to group: H5Group, _ arrays: inout [PlacedArray]
    ) throws {
        try group.setAttribute("format", formatOfContents)
        try group.setAttribute("program_version", checkpoint.programVersion)
        if checkpoint.numerics.count == 1 {
            try group.setAttribute("numerics", checkpoint.numerics[0])
        } else {
            try group.setAttribute("numerics", checkpoint.numerics)
        }
        try group.setAttribute("fingerprint", checkpoint.fingerprint)
        try group.setAttribute("task", checkpoint.task.rawValue)
        try group.setAttribute("loss", checkpoint.loss.rawValue)
        try group.setAttribute("precision", checkpoint.precision.rawValue)
        try group.setAttribute("base_directory", checkpoint.baseDirectory)
        if let created = checkpoint.created { try group.setAttribute("created", created) }

        try group.write(oneText: checkpoint.configuration, to: "config")
        try write(checkpoint.normalization, to: group.createGroup("normalization"))
        if let classes = checkpoint.classes { try group.write(texts: classes, to: "classes") }
        if let columns = checkpoint.columns { try group.write(texts: columns, to: "columns") }
        if let schema = checkpoint.schema { try group.write(oneText: schema.text, to: "schema") }
        if let weights = checkpoint.classWeights { try group.write(weights, to: "class_weights", as: .float64) }
        if let shape = checkpoint.imageShape { try group.write(shape, to: "image_shape", as: .int(64)) }
        if !checkpoint.network.embedded.isEmpty {
            try group.write(checkpoint.network.embedded, to: "embedded", as: .int(64))
        }
        if let temperature = checkpoint.temperature {
            try group.createGroup("calibration").setAttribute("temperature", temperature)
        }
        try write(checkpoint.optimizer, to: group.createGroup("optimizer"), &arrays)
        try write(checkpoint.cursor, to: group.createGroup("cursor"))
        try write(checkpoint.progress, to: group.createGroup("progress"))
        try write(checkpoint.history, to: group.createGroup("history"))
    }

    private static func write(_ normalization: Normalization, to group: H5Group) throws {
        for (name, values) in normalization.named where !values.isEmpty {
            try group.write(values, to: name, as: .float64)
        }
    }

    private static func write(
        _ state: OptimizerState, to group: H5Group, _ arrays: inout [PlacedArray]
    ) throws {
        try group.setAttribute("step", state.step)
        if !state.slots.isEmpty { try group.setAttribute("slots", state.slots.map(\.name)) }
        for slot in state.slots {
            for layer in slot.layers {
                try group.write(layer.weight, to: "\(slot.name)/\(layer.name)/weight", &arrays)
                if let bias = layer.bias { try group.write(bias, to: "\(slot.name)/\(layer.name)/bias", &arrays) }
            }
        }
    }

    private static func write(_ cursor: Cursor, to group: H5Group) throws {
        try group.setAttribute("epoch", cursor.epoch)
        try group.setAttribute("batch", cursor.batch)
        try group.setAttribute("step", cursor.step)
    }

    private static func write(_ progress: TrainingProgress, to group: H5Group) throws {
        try group.setAttribute("loss_sum", progress.lossSum)
        try group.setAttribute("weight_sum", progress.weightSum)
        if let best = progress.best { try group.setAttribute("best", best) }
        if let epoch = progress.bestEpoch { try group.setAttribute("best_epoch", epoch) }
        try group.setAttribute("epochs_without_progress", progress.epochsWithoutProgress)
        if !progress.members.isEmpty {
            try group.setAttribute("member_best", progress.members.map { $0.best ?? .nan })
            try group.setAttribute("member_best_epoch", progress.members.map { $0.epoch ?? 0 })
            try group.setAttribute("member_epochs_without_progress", progress.members.map(\.wait))
        }
        if let best = progress.plateauBest { try group.setAttribute("plateau_best", best) }
        try group.setAttribute("plateau_wait", progress.plateauWait)
        try group.setAttribute("rate_scale", progress.rateScale)
        try group.setAttribute("rollbacks", progress.rollbacks)
        try group.setAttribute("seconds", progress.seconds)
        try group.setAttribute("stopped_early", progress.stoppedEarly)
        try group.setAttribute("finished", progress.finished)
        if let epoch = progress.restoredEpoch { try group.setAttribute("restored_epoch", epoch) }
    }

    /// One dataset a column, one element an epoch; NaN where an epoch has no such metric.
    private static func write(_ history: [EpochRecord], to group: H5Group) throws {
        try group.write(history.map(\.epoch), to: "epoch", as: .int(64))
        try group.write(history.map(\.step), to: "step", as: .int(64))
        try group.write(history.map(\.rate), to: "rate", as: .float64)
        try group.write(history.map(\.seconds), to: "seconds", as: .float64)
        for name in Set(history.flatMap(\.metrics.keys)).sorted() {
            let path = "metrics/" + MetricPath.component(for: name)
            try group.write(history.map { $0.metrics[name] ?? .nan }, to: path, as: .float64)
        }
    }
}

/// An array that goes to the disk from where it is, and its place in the image.
private struct PlacedArray: Sendable {
    /// Smaller ones, in bytes, are copied.
    static let smallest = 1 << 16

    var offset: Int
    var tensor: Tensor
}

extension Tensor {
    fileprivate var byteCount: Int {
        switch storage {
        case .float32(let values): values.count * MemoryLayout<Float>.stride
        case .float64(let values): values.count * MemoryLayout<Double>.stride
        }
    }

    /// Lends the elements as they lie in memory, and in files: row-major.
    fileprivate func withBytes<Failure: Error>(_ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        switch storage {
        case .float32(let values): try body(unsafe values.span.bytes)
        case .float64(let values): try body(unsafe values.span.bytes)
        }
    }
}

extension H5Container {
    /// Writes an array, or, if it is large, sets its place aside and adds it to `arrays`.
    @discardableResult
    fileprivate func write(
        _ tensor: Tensor, to name: String, _ arrays: inout [PlacedArray]
    ) throws(H5Error) -> H5Dataset {
        guard tensor.byteCount < PlacedArray.smallest else {
            let type: ElementType = if case .float32 = tensor.storage { .float32 } else { .float64 }
            let dataset = try createDataset(name, type: type, shape: tensor.shape, options: .reserved)
            guard case .contiguous(let offset?, tensor.byteCount) = dataset.storage else {
                throw H5Error(.other, name, "libhdf5 set no place aside for it")
            }
            arrays.append(PlacedArray(offset: offset, tensor: tensor))
            return dataset
        }
        switch tensor.storage {
        case .float32(let values): return try write(values, to: name, shape: tensor.shape, as: .float32)
        case .float64(let values): return try write(values, to: name, shape: tensor.shape, as: .float64)
        }
    }

    /// A single text of fixed size: in one piece, where `strings` and `less` find it too.
    fileprivate func write(oneText text: String, to name: String) throws(H5Error) {
        try write(strings: [text], to: name, shape: [], size: max(1, text.utf8.count))
    }

    fileprivate func write(texts: [String], to name: String) throws(H5Error) {
        try write(strings: texts, to: name, size: max(1, texts.map(\.utf8.count).max() ?? 1))
    }
}

/// How a metric's name is spelled as a link: a slash would begin a group.
enum MetricPath {
    static func component(for name: String) -> String {
        name.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%2F")
    }

    static func name(of component: String) -> String {
        component.split(separator: "%2F", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "%25", omittingEmptySubsequences: false).joined(separator: "%")
    }
}
