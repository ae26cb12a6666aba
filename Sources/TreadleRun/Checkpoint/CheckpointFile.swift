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
    private let file: SealedFile

    /// Checks the digest, and reads what the file says of itself. Where the file is replaced meanwhile, it is read either as
    /// it was or as it became.
    ///
    /// No file is shown to libhdf5 before its length and digest have been found right, and what libhdf5 then says is
    /// believed only where it agrees with itself. But whoever can write a file can also write a digest that is right:
    /// where a `helper` is named, libhdf5 sees the file in a process of its own alone, which is killed after `seconds`, or
    /// at a request to `stop`. Without a helper, for files of this user's own runs, that happens here.
    package init(_ path: String, helper: GuardedHelper? = nil, seconds: Int = 4, stop: Stop = Stop()) throws {
        var replacements = 0
        while true {
            let file = try SealedFile(path)
            do {
                self = try CheckpointFile(file, helper, seconds, stop)
                return
            } catch {
                // libhdf5 opens no file without a name: whoever has it now is the one to read.
                guard file.hasLostItsName, replacements < 100 else { throw error }
                replacements += 1
            }
        }
    }

    private init(_ file: SealedFile, _ helper: GuardedHelper?, _ seconds: Int, _ stop: Stop) throws {
        self.file = file
        path = file.path
        try file.checkDigest()
        // libhdf5 gets the file that was digested.
        let request = Work.Request(
            path: path, imageLength: file.length, descriptor: helper == nil ? file.descriptor : 0)
        if let helper {
            outline = try GuardedProcess.perform(
                Work.self, request, on: path, limits: GuardedProcess.Limits(seconds: seconds), input: file.descriptor,
                stop: stop, helper: helper)
            // Re-check: the child may be compromised.
            try outline.check(imageLength: file.length, of: path)
        } else {
            outline = try Work.perform(request)
        }
        head = try outline.head(in: file)
        try file.checkUnchanged()
    }

    package enum Work: GuardedWork {
        package struct Request: Codable, Sendable {
            /// As messages name it.
            var path: String
            var imageLength: Int
            /// The file, open in the process that does the work.
            var descriptor: Int32
        }

        package static let name = "checkpoint-outline"

        package static func perform(_ request: Request) throws -> CheckpointOutline {
            try CheckpointReader(
                path: request.path, descriptor: request.descriptor, imageLength: request.imageLength
            ).read()
        }
    }

    // MARK: The arrays

    /// Reads the weights: with them it is all that predicting needs.
    package func model() throws -> SavedModel {
        try checkRoom(for: outline.parameters)
        let model = SavedModel(head.model, parameters: try outline.layers(outline.parameters, in: file))
        try checkUnchanged()
        return model
    }

    /// Reads what the optimizer remembers.
    package func state() throws -> RunState {
        try checkRoom(for: outline.slots.flatMap(\.layers))
        let state = RunState(head.course, optimizer: try outline.optimizer(in: file))
        try checkUnchanged()
        return state
    }

    package func checkpoint() throws -> Checkpoint {
        Checkpoint(model: try model(), state: try state(), origin: head.origin)
    }

    /// A claim on more memory than there is would end the process without a word.
    private func checkRoom(for places: [CheckpointOutline.LayerPlaces]) throws {
        // Each lies within the file, so that their sum can be counted.
        let bytes = places.flatMap(\.all).reduce(0) { $0 + ($1.byteCount ?? 0) }
        guard bytes <= ControlGroup.memory else {
            throw TreadleError(
                .badData,
                "\(path): its \(bytes.asBytes) of numbers do not fit into the \(ControlGroup.memory.asBytes) of memory that "
                    + "this process may use; raise the limit of its container or unit, or use a larger machine")
        }
    }

    /// The arrays, each to be read a part at a time: in memory that does not grow with the file.
    package var numbers: CheckpointNumbers {
        func sources(_ places: [CheckpointOutline.LayerPlaces]) -> [CheckpointNumbers.LayerNumbers] {
            zip(head.network.layers, places).map { layer, places in
                CheckpointNumbers.LayerNumbers(
                    name: layer.name, weight: NumberSource(places.weight, in: file),
                    bias: places.bias.map { NumberSource($0, in: file) })
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
        if let place = try numbers.firstNonFinite(workers: workers) ?? head.normalization.firstNonFinite {
            throw Checkpoint.notFinite(place, path)
        }
        try checkUnchanged()
    }

    /// Throws when the file has been written to since it was opened: its digest vouched for other contents then.
    package func checkUnchanged() throws { try file.checkUnchanged() }
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

    /// All of a checkpoint of this user's own runs.
    package static func read(_ path: String) throws -> Checkpoint { try CheckpointFile(path).checkpoint() }

    /// Reads a checkpoint of this user's own runs and finds all its numbers finite.
    package static func verify(_ path: String) throws -> Checkpoint {
        let checkpoint = try read(path)
        if let place = try checkpoint.firstNonFinite { throw Checkpoint.notFinite(place, path) }
        return checkpoint
    }

    /// Whether the file at `path` is of a format newer than this program reads.
    package static func isNewer(_ path: String) -> Bool {
        guard let first = try? FileSystem.contents(of: path, limit: UserBlock.size) else { return false }
        return UserBlock.declaredFormat(Array(first)).map { $0 > UserBlock.newestFormat } ?? false
    }
}
