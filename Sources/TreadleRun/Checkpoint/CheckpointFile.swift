internal import Foundation
internal import HDF5
package import TreadleBase
internal import TreadleModel

/// Checkpoint files: one HDF5 file behind a user block that vouches for it.
///
///     /layers/<name>/vars/{0,1}        kernel and bias, where Keras 3 looks for them
///     /model/<name>/{weight,bias}      the same arrays; attributes index, activation, dropout
///     /treadle                         attributes format, program_version, numerics, fingerprint, task, loss,
///                                      precision, base_directory, created
///     /treadle/config                  the resolved configuration as JSON text
///     /treadle/normalization/{shift,factor,imputation,clip,target_shift,target_factor,target_low,target_high}
///     /treadle/{classes,columns}       texts, where the data has them
///     /treadle/schema                  the table that the inputs are made from, JSON text, where the data has one
///     /treadle/{class_weights,image_shape}  where the loss or the data has them
///     /treadle/calibration             attribute temperature, where probabilities were calibrated
///     /treadle/optimizer/<slot>/<name>/{weight,bias}   attributes step, slots
///     /treadle/{cursor,progress}       attributes
///     /treadle/history/{epoch,step,rate,seconds,metrics/<name>}   an element an epoch
///
/// An open one has read what the file says of itself; its arrays are read when they are asked for.
package struct CheckpointFile: Sendable {
    package let path: String
    package let head: CheckpointHead
    private let outline: CheckpointOutline
    private let image: any CheckpointImage

    /// Checks the digest, and reads what the file says of itself.
    ///
    /// No byte reaches libhdf5 before length and digest have been found right, and what it then says is believed only
    /// where it agrees with itself. But whoever can write a file can also write a digest that is right: where a `helper`
    /// is named, libhdf5 sees the file in a process of its own alone, which is killed after `seconds`, or at a request to
    /// `stop`. Without a helper, for files of this user's own runs, that happens here, on a copy in memory.
    package init(_ path: String, helper: GuardedHelper? = nil, seconds: Int = 4, stop: Stop = Stop()) throws {
        if let helper {
            let file = try SealedFile(path)
            try unsafe file.checkDigest()
            // The child gets the file that was digested, whatever has taken its name since.
            outline = try GuardedProcess.perform(
                Work.self, Work.Request(path: path, imageLength: file.length), on: path,
                limits: GuardedProcess.Limits(seconds: seconds), input: file.descriptor, stop: stop, helper: helper)
            // Re-check: the child may be compromised.
            try outline.check(imageLength: file.length, of: path)
            image = file
        } else {
            let copy = try VerifiedImage(readingFrom: path)
            outline = try CheckpointReader(copy, path: path).read()
            image = copy
        }
        self.path = path
        head = try outline.head(in: image)
    }

    package enum Work: GuardedWork {
        package struct Request: Codable, Sendable {
            /// As messages name it; it is open as standard input.
            var path: String
            var imageLength: Int
        }

        package static let name = "checkpoint-outline"

        package static func perform(_ request: Request) throws -> CheckpointOutline {
            let file = try H5File.open("/proc/self/fd/0", as: request.path)
            return try CheckpointReader(
                file, path: request.path, imageLength: request.imageLength, imageStart: UserBlock.size
            ).read()
        }
    }

    // MARK: The arrays

    /// Reads the weights: with them it is all that predicting needs.
    package func model() throws -> SavedModel {
        let model = SavedModel(head.model, parameters: try outline.layers(outline.parameters, in: image))
        try checkUnchanged()
        return model
    }

    /// Reads what the optimizer remembers.
    package func state() throws -> RunState {
        let state = RunState(head.course, optimizer: try outline.optimizer(in: image))
        try checkUnchanged()
        return state
    }

    package func checkpoint() throws -> Checkpoint {
        Checkpoint(model: try model(), state: try state(), origin: head.origin)
    }

    /// The arrays, each to be read a part at a time: in memory that does not grow with the file.
    package var numbers: CheckpointNumbers {
        func sources(_ places: [CheckpointOutline.LayerPlaces]) -> [CheckpointNumbers.LayerNumbers] {
            zip(head.network.layers, places).map { layer, places in
                CheckpointNumbers.LayerNumbers(
                    name: layer.name, weight: NumberSource(places.weight, in: image),
                    bias: places.bias.map { NumberSource($0, in: image) })
            }
        }
        return CheckpointNumbers(
            layers: sources(outline.parameters), slots: outline.slots.map { ($0.name, sources($0.layers)) },
            updates: outline.optimizerStep)
    }

    /// The SHA-256 over all parameters alone.
    package func parameterDigest() throws -> String {
        let digest = try numbers.digest()
        try checkUnchanged()
        return digest
    }

    /// Throws when a number of the model, the optimizer or the normalization is not finite.
    package func checkFinite(workers: Workers) throws {
        for (name, numbers, isParameter) in numbers.named {
            guard let place = try numbers.firstNonFinite(workers: workers) else { continue }
            throw Checkpoint.notFinite("\(isParameter ? "model/" : "")\(name) \(place)", path)
        }
        if let place = head.normalization.firstNonFinite { throw Checkpoint.notFinite(place, path) }
        try checkUnchanged()
    }

    /// Throws when the file has been written to since it was opened: its digest vouched for other contents then.
    package func checkUnchanged() throws { try image.checkUnchanged() }
}

extension CheckpointFile {
    /// Writes the checkpoint, durably, in place of what is at `path`; returns the file's length.
    ///
    /// Needs little memory besides the checkpoint itself.
    @discardableResult
    package static func write(
        _ checkpoint: Checkpoint, to path: String, calls: SystemCalls = SystemCalls()
    ) throws -> Int {
        let file = try EncodedCheckpoint(checkpoint)
        try file.write(to: path, calls: calls)
        return file.count
    }

    /// All of a checkpoint of this user's own runs. Needs twice as much memory as the file has bytes, for a moment.
    package static func read(_ path: String) throws -> Checkpoint { try CheckpointFile(path).checkpoint() }

    /// Reads a checkpoint of this user's own runs and finds all its numbers finite.
    package static func verify(_ path: String) throws -> Checkpoint {
        let checkpoint = try read(path)
        if let place = checkpoint.firstNonFinite { throw Checkpoint.notFinite(place, path) }
        return checkpoint
    }

    /// Whether the file at `path` is of a format newer than this program reads.
    package static func isNewer(_ path: String) -> Bool {
        guard let first = try? FileSystem.contents(of: path, limit: UserBlock.size) else { return false }
        return UserBlock.declaredFormat(Array(first)).map { $0 > UserBlock.newestFormat } ?? false
    }
}
