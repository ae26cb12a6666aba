internal import HDF5
package import TreadleBase
internal import TreadleModel

/// A checkpoint of unknown origin, open: whoever can write a file can also write a digest that is right.
///
/// libhdf5 sees it in a process of its own alone, which hands over what the file says and where its numbers are. Those
/// are read here, when they are asked for.
package struct StoredCheckpoint: Sendable {
    /// All but what grows with the network: without parameters, and with slots that are names alone.
    package let head: Checkpoint
    package var path: String { file.path }

    private let outline: CheckpointOutline
    private let file: SealedFile

    /// Checks the digest and reads what the file says of itself.
    ///
    /// The process that does so is killed after `seconds`.
    package static func open(
        _ path: String, seconds: Int = 4, helper: GuardedHelper
    ) throws -> StoredCheckpoint {
        let file = try SealedFile(path)
        try unsafe file.checkDigest()
        // The child gets the file that was digested, whatever has taken its name since.
        let outline = try GuardedProcess.perform(
            Work.self, Work.Request(path: path, imageLength: file.length), on: path,
            limits: GuardedProcess.Limits(seconds: seconds), input: file.descriptor, helper: helper)
        return try StoredCheckpoint(outline, file)
    }

    private init(_ outline: CheckpointOutline, _ file: SealedFile) throws {
        // Said again here, of what a process that may have been corrupted has answered.
        try outline.check(imageLength: file.length, of: file.path)
        self.outline = outline
        self.file = file
        head = try outline.head(in: file)
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

    /// The whole checkpoint, in memory.
    package func checkpoint() throws -> Checkpoint {
        let checkpoint = try outline.checkpoint(in: file)
        try file.checkUnchanged()
        return checkpoint
    }

    /// The checkpoint without the optimizer's memory: all that predicting needs.
    package func model() throws -> Checkpoint {
        let checkpoint = try outline.model(in: file)
        try file.checkUnchanged()
        return checkpoint
    }

    /// The arrays, each to be read when it is looked at.
    package var numbers: CheckpointNumbers {
        func sources(_ places: [CheckpointOutline.LayerPlaces]) -> [CheckpointNumbers.LayerNumbers] {
            zip(head.network.layers, places).map { layer, places in
                CheckpointNumbers.LayerNumbers(
                    name: layer.name, weight: NumberSource(places.weight, in: file),
                    bias: places.bias.map { NumberSource($0, in: file) })
            }
        }
        return CheckpointNumbers(
            layers: sources(outline.parameters), slots: outline.slots.map { ($0.name, sources($0.layers)) })
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
        try head.checkFinite(path)
        try checkUnchanged()
    }

    package func checkUnchanged() throws { try file.checkUnchanged() }
}
